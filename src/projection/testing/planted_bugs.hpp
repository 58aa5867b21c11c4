// Bugs on purpose: a test that does not find them proves nothing.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "leftfold/log/event_log.hpp"

#include "broken_store.hpp"
#include "forwarding_log.hpp"

namespace leftfold::testing {

// Positions are committed behind the rows, in a transaction of their own.
class PositionsApart final : public ForwardingStore {
  public:
    using ForwardingStore::ForwardingStore;

    Result<> set_position(const rows::FoldedPosition& position) override {
        positions_.push_back(position);
        return {};
    }
    Result<> commit() override {
        LEFTFOLD_CHECK(store_->commit());
        LEFTFOLD_CHECK(store_->begin());
        for (const rows::FoldedPosition& position : std::exchange(positions_, {}))
            LEFTFOLD_CHECK(store_->set_position(position));
        return store_->commit();
    }
    void rollback() override {
        positions_.clear();
        store_->rollback();
    }

  private:
    std::vector<rows::FoldedPosition> positions_;
};

// A build is switched to that the next crash may take.
class SyncForgotten final : public ForwardingStore {
  public:
    using ForwardingStore::ForwardingStore;
    Result<> sync() override { return {}; }
};

// Readers see events as soon as they are accepted.
class EagerLog final : public ForwardingLog {
  public:
    using ForwardingLog::ForwardingLog;

    Result<log::Accepted> append(const log::AppendRequest& request, log::AppendDone&& done) override {
        auto accepted = log_.append(request, [this, slot = request.slot, count = request.records.size(),
                                              done = std::move(done)](Result<log::Appended> appended) mutable {
            auto& early = early_[slot];
            early.erase(early.begin(), early.begin() + static_cast<std::ptrdiff_t>(std::min(count, early.size())));
            done(std::move(appended));
        });
        if (accepted) {
            for (const Record& record : request.records)
                early_[request.slot].push_back(
                    {std::string(request.key), std::string(record.meta.type), std::string(record.payload)});
        }
        return accepted;
    }
    Result<log::SlotBounds> bounds(log::Slot slot) override {
        LEFTFOLD_TRY(bounds, log_.bounds(slot));
        bounds.durable_end = Position(bounds.durable_end.value() + static_cast<std::int64_t>(early_[slot].size()));
        return bounds;
    }
    Result<log::ReadBatch> read(log::Slot slot, Position from, std::size_t bytes_max) override {
        LEFTFOLD_TRY(bounds, log_.bounds(slot));
        if (from < bounds.durable_end)
            return log_.read(slot, from, bytes_max);
        std::vector<std::string> buffers;
        std::vector<Record> records;
        std::size_t number = static_cast<std::size_t>(from.value() - bounds.durable_end.value());
        for (; number < early_[slot].size(); ++number) {
            for (const std::string* text :
                 {&early_[slot][number].key, &early_[slot][number].type, &early_[slot][number].payload})
                buffers.push_back(*text);
        }
        for (std::size_t i = 0; i < buffers.size(); i += 3) {
            Record& record = records.emplace_back();
            record.meta.key = buffers[i];
            record.meta.type = buffers[i + 1];
            record.payload = buffers[i + 2];
            record.position = Position(from.value() + static_cast<std::int64_t>(i / 3));
        }
        const Position next(from.value() + static_cast<std::int64_t>(records.size()));
        return log::ReadBatch(std::move(buffers), std::move(records), next);
    }

  private:
    struct Early {
        std::string key, type, payload;
    };
    std::map<log::Slot, std::deque<Early>> early_;
};

}  // namespace leftfold::testing
