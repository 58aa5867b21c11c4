// A store in memory that counts what is asked of it, and fails on demand.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "memory_store.hpp"

namespace leftfold::testing {

class WatchedStore final : public rows::RowStore {
  public:
    explicit WatchedStore(const rows::Schema& schema) : inner_(rows::make_memory_store(schema)) {}

    std::size_t gets = 0;
    std::size_t puts = 0;
    std::size_t erases = 0;
    std::size_t calls_until_failure = SIZE_MAX;  // of reads and writes

    Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
        ++gets;
        LEFTFOLD_CHECK(count_down());
        return inner_->get(table, key);
    }
    Result<std::vector<rows::Row>> query(const rows::Query& query) override {
        LEFTFOLD_CHECK(count_down());
        return inner_->query(query);
    }
    Result<std::uint64_t> count(const rows::Query& query) override { return inner_->count(query); }
    Result<std::vector<rows::FoldedPosition>> positions() override { return inner_->positions(); }
    Result<std::optional<std::string>> value(std::string_view name) override { return inner_->value(name); }
    const rows::Schema& schema() const noexcept override { return inner_->schema(); }
    Result<> begin() override { return inner_->begin(); }
    Result<> put(rows::TableId table, std::span<const rows::Cell> row) override {
        ++puts;
        LEFTFOLD_CHECK(count_down());
        return inner_->put(table, row);
    }
    Result<> erase(rows::TableId table, std::span<const rows::Cell> key) override {
        ++erases;
        LEFTFOLD_CHECK(count_down());
        return inner_->erase(table, key);
    }
    Result<> set_position(const rows::FoldedPosition& position) override { return inner_->set_position(position); }
    Result<> set_value(std::string_view name, std::string_view value) override {
        return inner_->set_value(name, value);
    }
    Result<> commit() override { return inner_->commit(); }
    void rollback() override { inner_->rollback(); }
    Result<std::unique_ptr<rows::RowReader>> reader() override { return inner_->reader(); }
    Result<> sync() override { return inner_->sync(); }
    Result<> copy_to(const std::string& path) override { return inner_->copy_to(path); }

  private:
    Result<> count_down() {
        if (calls_until_failure == 0)
            return fail(ErrorCode::io, "the disk is gone");
        --calls_until_failure;
        return {};
    }

    std::unique_ptr<rows::RowStore> inner_;
};

}  // namespace leftfold::testing
