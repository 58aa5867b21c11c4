// What Codec<T>::shape writes to: the canonical JSON text that describes a type. shape.hpp has the form and shape_of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "leftfold/event/json_writer.hpp"

namespace leftfold::json {

class ShapeWriter {
  public:
    std::string& out() noexcept { return out_; }
    void name(std::string_view text) { write_string(out_, text); }

    // Around the fields of a struct. False, and {"$recursive":"name"} written, if the struct is already being
    // described.
    bool enter(const void* type, std::string_view type_name) {
        for (const void* open : open_) {
            if (open == type) {
                out_ += "{\"$recursive\":";
                name(type_name);
                out_.push_back('}');
                return false;
            }
        }
        open_.push_back(type);
        return true;
    }
    void leave() { open_.pop_back(); }

  private:
    std::string out_;
    std::vector<const void*> open_;
};

}  // namespace leftfold::json
