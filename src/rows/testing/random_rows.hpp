// RandomRows: schemas, rows and queries by seed. Values come from a few that lie close together, at ends and between,
// so that rows replace each other and bounds meet them.
#pragma once

#include <string>
#include <vector>

#include "leftfold/env/random.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {

class RandomRows {
  public:
    // Borrows `random`. Tables have at most `columns_max` columns.
    RandomRows(Random& random, std::size_t columns_max = 6);

    const Schema& schema() const noexcept { return schema_; }
    TableId table();
    Row row(TableId table);
    Row key(TableId table);
    // `known`: rows of the table, of which cursors are made; may be empty.
    Query query(const std::vector<Row>& known, TableId table);

    // One random write of the open transaction of each store, the same.
    void write(std::span<RowStore* const> stores);

  private:
    bool one_in(std::uint64_t count) { return random_.below(count) == 0; }
    Table make_table(std::size_t number, std::size_t columns_max);
    Cell value(CellType type);
    Cell cell(const Column& column);
    Filter filter(const Table& table);
    std::vector<Cell> cursor(const Table& table, const Query& query, const std::vector<Row>& known);

    Random& random_;
    Schema schema_;
};

// All that a store holds, to compare and to show.
struct Contents {
    std::vector<std::vector<Row>> tables;
    std::vector<FoldedPosition> positions;
    std::vector<std::optional<std::string>> values;  // of kValueNames

    friend bool operator==(const Contents&, const Contents&) = default;
};
inline const std::vector<std::string> kValueNames{"", "generation", "state"};

Result<Contents> contents_of(RowReader& reader, const Schema& schema);
std::string to_text(const Row& row);
std::string to_text(const Query& query, const Table& table);

}  // namespace leftfold::rows
