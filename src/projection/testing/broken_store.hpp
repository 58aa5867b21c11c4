// BrokenStore: a RowStore whose writes fail when a test says so.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "leftfold/rows/row_store.hpp"

namespace leftfold::testing {

// Passes everything on.
class ForwardingStore : public rows::RowStore {
  public:
    explicit ForwardingStore(std::unique_ptr<rows::RowStore> store) : store_(std::move(store)) {}

    Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
        return store_->get(table, key);
    }
    Result<std::vector<rows::Row>> query(const rows::Query& query) override { return store_->query(query); }
    Result<std::uint64_t> count(const rows::Query& query) override { return store_->count(query); }
    Result<std::vector<rows::FoldedPosition>> positions() override { return store_->positions(); }
    Result<std::optional<std::string>> value(std::string_view name) override { return store_->value(name); }
    const rows::Schema& schema() const noexcept override { return store_->schema(); }
    Result<> begin() override { return store_->begin(); }
    Result<> put(rows::TableId table, std::span<const rows::Cell> row) override { return store_->put(table, row); }
    Result<> erase(rows::TableId table, std::span<const rows::Cell> key) override { return store_->erase(table, key); }
    Result<> set_position(const rows::FoldedPosition& position) override { return store_->set_position(position); }
    Result<> set_value(std::string_view name, std::string_view value) override {
        return store_->set_value(name, value);
    }
    Result<> commit() override { return store_->commit(); }
    void rollback() override { store_->rollback(); }
    Result<std::unique_ptr<rows::RowReader>> reader() override { return store_->reader(); }
    Result<> sync() override { return store_->sync(); }
    Result<> copy_to(const std::string& path) override { return store_->copy_to(path); }

  protected:
    std::unique_ptr<rows::RowStore> store_;
};

// Asked before each of these calls, by name: "begin", "get", "put", "commit", "sync", "query", "query of a reader".
using Breaks = std::function<std::optional<ErrorCode>(std::string_view call)>;

class BrokenReader final : public rows::RowReader {
  public:
    BrokenReader(std::unique_ptr<rows::RowReader> reader, std::shared_ptr<Breaks> breaks)
        : reader_(std::move(reader)), breaks_(std::move(breaks)) {}

    Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
        return reader_->get(table, key);
    }
    Result<std::vector<rows::Row>> query(const rows::Query& query) override {
        if (const auto code = (*breaks_)("query of a reader"))
            return fail(*code, "broken on purpose: query of a reader");
        return reader_->query(query);
    }
    Result<std::uint64_t> count(const rows::Query& query) override { return reader_->count(query); }
    Result<std::vector<rows::FoldedPosition>> positions() override { return reader_->positions(); }
    Result<std::optional<std::string>> value(std::string_view name) override { return reader_->value(name); }

  private:
    std::unique_ptr<rows::RowReader> reader_;
    std::shared_ptr<Breaks> breaks_;
};

class BrokenStore final : public ForwardingStore {
  public:
    BrokenStore(std::unique_ptr<rows::RowStore> store, std::shared_ptr<Breaks> breaks)
        : ForwardingStore(std::move(store)), breaks_(std::move(breaks)) {}

    Result<std::optional<rows::Row>> get(rows::TableId table, std::span<const rows::Cell> key) override {
        LEFTFOLD_CHECK(works("get"));
        return store_->get(table, key);
    }
    Result<std::vector<rows::Row>> query(const rows::Query& query) override {
        LEFTFOLD_CHECK(works("query"));
        return store_->query(query);
    }
    Result<> begin() override {
        LEFTFOLD_CHECK(works("begin"));
        return store_->begin();
    }
    Result<> put(rows::TableId table, std::span<const rows::Cell> row) override {
        LEFTFOLD_CHECK(works("put"));
        return store_->put(table, row);
    }
    Result<> commit() override {
        if (auto broken = works("commit"); !broken) {
            store_->rollback();
            return broken;
        }
        return store_->commit();
    }
    Result<std::unique_ptr<rows::RowReader>> reader() override {
        LEFTFOLD_TRY(reader, store_->reader());
        return std::make_unique<BrokenReader>(std::move(reader), breaks_);
    }
    Result<> sync() override {
        LEFTFOLD_CHECK(works("sync"));
        return store_->sync();
    }

  private:
    Result<> works(std::string_view call) const {
        if (const auto code = (*breaks_)(call))
            return fail(*code, "broken on purpose: " + std::string(call));
        return {};
    }

    std::shared_ptr<Breaks> breaks_;
};

}  // namespace leftfold::testing
