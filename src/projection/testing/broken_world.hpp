// BrokenWorld: a RunnerWorld whose stores fail when a test says so.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "broken_store.hpp"
#include "runner_world.hpp"

namespace leftfold::testing {

struct BrokenWorld {
    std::shared_ptr<Breaks> breaks = std::make_shared<Breaks>([](std::string_view) { return std::nullopt; });
    RunnerWorld world;

    BrokenWorld() {
        world.options().open_store = [this](const std::string& path,
                                            const rows::Schema& schema) -> Result<std::unique_ptr<rows::RowStore>> {
            LEFTFOLD_TRY(store, world.stores().open(path, schema));
            return std::make_unique<BrokenStore>(std::move(store), breaks);
        };
    }
    // The next `count` of these calls fail.
    void break_calls(std::string call, ErrorCode code, int count) {
        *breaks = [call, code, count](std::string_view name) mutable -> std::optional<ErrorCode> {
            return name == call && count-- > 0 ? std::optional(code) : std::nullopt;
        };
    }
};

}  // namespace leftfold::testing
