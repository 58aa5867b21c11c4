// ProjectionModel: one projection with its template arguments erased, so that the runner is compiled once. Users do not
// write one: typed_projection.hpp makes it from their struct.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "leftfold/base/error.hpp"
#include "leftfold/event/record.hpp"
#include "leftfold/projection/table_form.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

// Folds events into the rows of one store, within the transactions that the runner makes around it: begin, apply() for
// each event of a batch, flush(), positions, commit. Belongs to the thread that holds the store.
class ProjectionFold {
  public:
    virtual ~ProjectionFold() = default;

    // Events that the projection does not handle pass. `user_code`: a handler threw; `corrupt` or `unsupported`: the
    // event cannot be read. After an error: discard().
    virtual Result<> apply(const Record& record) = 0;
    // Writes what the batch changed to the store's transaction.
    virtual Result<> flush() = 0;
    // Forgets what apply() did since the last flush(), and all rows it knows: also after a rollback, and when anything
    // else has changed the store.
    virtual void discard() noexcept = 0;
};

// Immutable: any thread.
class ProjectionModel {
  public:
    virtual ~ProjectionModel() = default;

    virtual const std::string& name() const noexcept = 0;  // "balances": names its files
    virtual const rows::Schema& schema() const noexcept = 0;
    // What the columns of each table of the schema mean, for queries and tools. None: it cannot be queried.
    virtual std::span<const TableForm> forms() const noexcept { return {}; }
    // Of all that rows depend on and that is known here: tables, indexes, declared version. Another one: build anew.
    virtual const std::string& shape() const noexcept = 0;
    virtual std::span<const std::string> topics() const noexcept = 0;  // "bank.account"
    virtual std::unique_ptr<ProjectionFold> fold_into(rows::RowStore& store) const = 0;
};

}  // namespace leftfold
