// With real threads, a real disk and real sockets: the sanitizers' view of the whole.
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leftfold/base/murmur2.hpp"
#include "leftfold/env/real_env.hpp"
#include "leftfold/http/server.hpp"
#include "leftfold/log/embedded_log.hpp"
#include "leftfold/reaction/runner.hpp"
#include "leftfold/reaction/typed_reaction.hpp"
#include "leftfold/rows/sqlite_store.hpp"

#include "temporary_folder.hpp"

namespace leftfold {
namespace {

using namespace std::chrono_literals;

struct Noted {
    std::int64_t amount = 0;
};
struct BookEvents {
    static constexpr std::string_view aggregate = "book";
    using Event = std::variant<Noted>;
};

struct Mail {
    using Events = ReadsFrom<BookEvents>;

    std::string url;

    Task<ReactionResult> on(Noted event, ReactionContext context) const {
        const auto answer = co_await context.call(
            HttpCall::post(url + std::string(context.meta.key), fmt::format("{{\"amount\":{}}}", event.amount)));
        co_return ReactionResult::of(answer);
    }
};

// The other side: takes each request once, and refuses some before.
class MailServer final : public http::Handler {
  public:
    void handle(const http::Request& request, http::Responder responder) override {
        const std::string key(request.header("Idempotency-Key").value_or("none"));
        const std::uint64_t attempt = ++attempts[key];
        if (std::hash<std::string>()(key) % 5 == 0 && attempt == 1) {
            responder.send(http::text_response(503, "not now"));
            return;
        }
        taken[std::string(request.path)].emplace_back(request.body);
        responder.send({.status = 204});
    }

    std::map<std::string, std::uint64_t> attempts;
    std::map<std::string, std::vector<std::string>> taken;  // by path
};

TEST(RealReaction, calls_reach_the_other_side_in_order) {
    constexpr int kKeys = 20;
    constexpr int kEach = 10;
    const TemporaryFolder folder;
    RealEnv real;
    Env& env = real.env();
    MailServer handler;
    auto server = http::Server::start(env, {}, handler);
    ASSERT_TRUE(server) << server.error().message();
    auto log = log::open_embedded_log(env, {.directory = folder.path(), .topics = {{"test.book", 2}}});
    ASSERT_TRUE(log) << log.error().message();
    const auto model =
        make_typed_reaction<Mail>("test", "mail", Mail{"http://" + to_string((*server)->endpoint()) + "/mail/"});
    HttpClients http(env);
    ReactionOptions options{.folder = join_path(folder.path(), "reactions/mail")};
    options.open_store = [&](const std::string& path, const rows::Schema& schema) {
        return rows::open_sqlite_store(env.files, path, schema);
    };
    options.retry_first = 5ms;
    ReactionRunner runner(env, **log, *model, http, options);
    ASSERT_TRUE(runner.start());
    for (int i = 0; i < kKeys * kEach; ++i) {
        const std::string key = fmt::format("key-{}", i % kKeys);
        const std::string payload = fmt::format("{{\"amount\":{}}}", i / kKeys);
        Record record;
        record.meta.id = Uuid::v7(env.clock.now(), env.random.next(), env.random.next());
        record.meta.type = "test.book.noted";
        record.payload = payload;
        ASSERT_TRUE((*log)->append(
            {.slot = {TopicId(0), partition_of(key, 2)}, .key = key, .records = {&record, 1}},
            [](const Result<log::Appended>& appended) { ASSERT_TRUE(appended) << appended.error().message(); }));
    }
    std::function<void()> look = [&] {
        if (runner.statistics().done < kKeys * kEach) {
            env.scheduler.call_after(1ms, [&] { look(); });
            return;
        }
        runner.stop([&] { (*log)->stop([&] { (*server)->stop(1s, [&] { real.stop(); }); }); });
    };
    look();
    real.run();

    EXPECT_EQ(handler.attempts.size(), std::size_t{kKeys} * kEach);
    for (int k = 0; k < kKeys; ++k) {
        const auto& taken = handler.taken[fmt::format("/mail/key-{}", k)];
        ASSERT_EQ(taken.size(), std::size_t{kEach});
        for (int i = 0; i < kEach; ++i)
            EXPECT_EQ(taken[static_cast<std::size_t>(i)], fmt::format("{{\"amount\":{}}}", i));
    }
}

TEST(RealReaction, urls_that_cannot_be_called_are_refused) {
    RealEnv real;
    HttpClients http(real.env());
    std::map<std::string, ErrorCode> refused;
    const std::vector<std::string> urls{
        "https://localhost/",  "ftp://x",      "http://",       "http:///x",    "http://a b/",
        "http://h:99999/x",    "http://h:0/x", "http://[::1/x", "http://u@h/x", "http://h:80x/",
        "http://1.2.3.4:1/a b"};
    std::size_t left = urls.size();
    for (const std::string& url : urls) {
        http.call(HttpCall::get(url), [&, url](const Result<http::ClientResponse>& response) {
            ASSERT_FALSE(response);
            refused.emplace(url, response.error().code());
            if (--left == 0)
                real.stop();
        });
    }
    real.run();
    for (const auto& [url, code] : refused)
        EXPECT_EQ(code, url.starts_with("http://") ? ErrorCode::invalid_argument : ErrorCode::unsupported) << url;
}

}  // namespace
}  // namespace leftfold
