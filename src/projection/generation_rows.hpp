// GenerationRows: the store of one generation and the fold into it. Used by the jobs of one worker, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leftfold/base/uuid.hpp"
#include "leftfold/log/event_log.hpp"
#include "leftfold/projection/model.hpp"
#include "leftfold/projection/runner.hpp"
#include "leftfold/projection/status.hpp"

#include "followed_slots.hpp"

namespace leftfold {

inline constexpr std::size_t kSkippedMax = 1'000;  // events, of one generation

// Events to be folded in one transaction.
struct FoldBatch {
    struct Piece {
        std::size_t slot = 0;  // index into FollowedSlots
        log::ReadBatch read;
        std::size_t record_count = 0;  // so many of its records are meant
        Position next;                 // all before it is folded behind this piece
    };
    std::vector<Piece> pieces;
    std::size_t record_count = 0;
    std::size_t bytes = 0;
};

struct FoldOutcome {
    // Committed: up to here, of the slots in the batch.
    std::vector<std::pair<std::size_t, Position>> positions;
    std::uint64_t folded = 0;
    // The fold stopped before this event; all before it in the batch is committed.
    std::optional<EventFault> fault;
    // The store's: nothing of the batch is committed.
    std::optional<Error> error;
};

class WatchedStore;

class GenerationRows {
  public:
    // What a generation is a fold of, as its store tells.
    struct Found {
        std::optional<Uuid> incarnation;  // none: nothing was ever committed
        std::string shape;
        Positions positions;
        std::vector<SkippedEvent> skipped;
        std::unique_ptr<rows::RowReader> reader;  // for the shard's thread
    };

    // Borrows model and slots. Nothing is opened yet.
    GenerationRows(const ProjectionModel& model, const FollowedSlots& slots);
    ~GenerationRows();
    GenerationRows(const GenerationRows&) = delete;
    GenerationRows& operator=(const GenerationRows&) = delete;

    // Opens the store, which is made where it is missing. Where `schema` is not the model's, nothing can be folded.
    Result<Found> open(const StoreFactory& open_store, const std::string& path, const rows::Schema& schema);
    // Copies what export_to() made, before open(). invalid_argument: of another shape or log.
    static Result<> import(const StoreFactory& open_store, const std::string& from, const std::string& to,
                           const rows::Schema& schema, const Uuid& incarnation, const std::string& shape);
    // The first transaction of a new generation.
    Result<> begin(const Uuid& incarnation, const std::string& shape);

    FoldOutcome fold(const FoldBatch& batch);
    // Moves past an event and keeps the list that has it.
    Result<> skip(const EventPlace& place, const std::vector<SkippedEvent>& skipped);

    rows::RowReader& rows() noexcept { return *store_; }
    Result<std::unique_ptr<rows::RowReader>> reader();
    Result<> sync();
    Result<> copy_to(const std::string& path);
    // Readers first.
    void close() noexcept;

  private:
    enum class Flush : bool { behind_the_last, behind_each };
    struct Failure {
        std::optional<std::size_t> record = {};  // number within the batch; none: all of them, at the flush
        bool is_of_event = false;
        Error error;
    };
    std::optional<Failure> try_fold(const FoldBatch& batch, std::size_t record_count, Flush flush,
                                    FoldOutcome& outcome);
    std::optional<Failure> apply(const FoldBatch& batch, std::size_t record_count, Flush flush);
    Result<> finish(const FoldBatch& batch, std::size_t record_count, FoldOutcome& outcome);
    void undo() noexcept;
    Failure failure_of(std::optional<std::size_t> record, Error error);
    EventFault fault_of(const FoldBatch& batch, std::size_t record, const Error& error) const;

    const ProjectionModel& model_;
    const FollowedSlots& slots_;
    std::unique_ptr<rows::RowStore> store_;
    std::unique_ptr<WatchedStore> watched_;
    std::unique_ptr<ProjectionFold> fold_;  // last: it uses the stores
    bool in_transaction_ = false;
};

// The fault of a store for good: what is in it cannot be believed.
bool is_damage(const Error& error) noexcept;

}  // namespace leftfold
