// OwnerSession: a tool's way to a data directory. If a process holds it, its socket is asked; else this process becomes
// the owner for as long as the tool runs, and asks itself the same way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "leftfold/env/real_env.hpp"
#include "leftfold/http/client.hpp"

#include "host.hpp"

namespace leftfold {

class OwnerSession {
  public:
    // What becomes of a question when the owner goes away that has answered others before.
    enum class AtOwnersEnd : std::uint8_t {
        fail,
        ask_the_next  // who may be this process, then
    };

    // Borrows `real`, the name and the services. `role` is what runs where this process becomes the owner. not_found if
    // nothing was ever stored in the directory.
    static Result<std::unique_ptr<OwnerSession>> open(RealEnv& real, std::string_view application,
                                                      const std::vector<Service>& services, std::string directory,
                                                      AtOwnersEnd at_owners_end, HostRole role);
    ~OwnerSession();

    // `answer` runs as a step, with the answer's body and headers, or with what the owner says is wrong. An owner that
    // has just begun or is about to end does not answer: for a while it is asked again, then the next one.
    using Answer = std::move_only_function<void(Result<http::ClientResponse>)>;
    void ask(std::string target, Duration timeout, Answer answer);
    // The same for what changes something: once it may have reached an owner, it is not sent again.
    void order(std::string target, Duration timeout, Answer answer);

  private:
    class Impl;
    explicit OwnerSession(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leftfold
