// Bugs on purpose, as decorators around what is right: each must be found by the simulation, else it is worth nothing.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "leftfold/log/event_log.hpp"
#include "leftfold/rows/row_store.hpp"

#include "reaction_rows.hpp"

namespace leftfold::testing {

struct Plant {
    bool positions_are_ahead = false;     // committed before the handler is done
    bool dead_hold_nothing_back = false;  // the row of a dead letter does not hold its key
    bool syncs_are_dropped = false;       // an operator is told before it is durable
};

class PlantedStore final : public rows::RowStore {
  public:
    PlantedStore(std::unique_ptr<rows::RowStore> inner, log::EventLog& log, Plant plant) noexcept
        : inner_(std::move(inner)), log_(log), plant_(plant) {}

    Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
        return inner_->get(table, key);
    }
    Result<std::vector<rows::Row>> query(const rows::Query& query) override { return inner_->query(query); }
    Result<std::uint64_t> count(const rows::Query& query) override { return inner_->count(query); }
    Result<std::vector<rows::FoldedPosition>> positions() override { return inner_->positions(); }
    Result<std::optional<std::string>> value(std::string_view name) override { return inner_->value(name); }
    const rows::Schema& schema() const noexcept override { return inner_->schema(); }
    Result<> begin() override { return inner_->begin(); }
    Result<> put(rows::TableId table, std::span<const rows::Cell> row) override {
        const bool is_held = table == reaction::kHeld;
        if (plant_.dead_hold_nothing_back && is_held && reaction::held_of({row.begin(), row.end()}).is_dead)
            return inner_->erase(table, row.first(2));
        return inner_->put(table, row);
    }
    Result<> erase(rows::TableId table, std::span<const rows::Cell> key) override { return inner_->erase(table, key); }
    Result<> set_position(const rows::FoldedPosition& position) override {
        if (!plant_.positions_are_ahead)
            return inner_->set_position(position);
        const auto bounds = log_.bounds({TopicId(0), position.partition});
        return inner_->set_position(
            {position.topic, position.partition, bounds ? bounds->durable_end : position.position});
    }
    Result<> set_value(std::string_view name, std::string_view value) override {
        return inner_->set_value(name, value);
    }
    Result<> commit() override { return inner_->commit(); }
    void rollback() override { inner_->rollback(); }
    Result<std::unique_ptr<rows::RowReader>> reader() override { return inner_->reader(); }
    Result<> sync() override { return plant_.syncs_are_dropped ? Result<>() : inner_->sync(); }
    Result<> copy_to(const std::string& path) override { return inner_->copy_to(path); }

  private:
    std::unique_ptr<rows::RowStore> inner_;
    log::EventLog& log_;
    Plant plant_;
};

}  // namespace leftfold::testing
