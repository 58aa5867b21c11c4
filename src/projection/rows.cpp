#include "leftfold/projection/rows.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace leftfold::detail {

namespace {
constexpr std::size_t kSlotsMin = 256;
constexpr std::size_t kPageRows = 1000;
}  // namespace

std::uint32_t HashNumbers::insert(std::uint64_t hash) {
    const auto number = static_cast<std::uint32_t>(hashes_.size());
    hashes_.push_back(hash);
    if (2 * hashes_.size() > slots_.size()) {
        slots_.assign(std::max(2 * slots_.size(), kSlotsMin), kNone);
        for (std::uint32_t i = 0; i < number; ++i)
            place(i);
    }
    place(number);
    return number;
}

void HashNumbers::place(std::uint32_t number) noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hashes_[number] & mask;
    while (slots_[slot] != kNone)
        slot = (slot + 1) & mask;
    slots_[slot] = number;
}

void HashNumbers::clear() noexcept {
    std::ranges::fill(slots_, kNone);
    hashes_.clear();
}

RowCache::RowCache(const RowsOrigin& origin) : origin_(origin), cells_(origin.form.columns.size()) {}

std::optional<rows::Row> RowCache::read_row() {
    auto row = origin_.store.get(origin_.table, key_cells());
    if (!row)
        throw_failure(std::move(row).error().with_context(fmt::format("reading table '{}'", origin_.form.table.name)));
    return *std::move(row);
}

std::vector<rows::Row> RowCache::read_page(rows::Query& query) {
    query.limit = kPageRows;
    auto page = origin_.store.query(query);
    if (!page)
        throw_failure(std::move(page).error().with_context(fmt::format("reading table '{}'", origin_.form.table.name)));
    if (!page->empty()) {
        const rows::Row& last = page->back();
        query.after.assign(last.begin(), last.begin() + origin_.form.table.key_columns);
    }
    return *std::move(page);
}

void RowCache::count_bytes(State& state, std::span<const rows::Cell> cells) noexcept {
    std::size_t bytes = 0;
    for (const rows::Cell& cell : cells) {
        if (const auto* text = std::get_if<std::string>(&cell))
            bytes += text->size();
    }
    bytes_ = bytes_ - state.bytes + bytes;
    state.bytes = bytes;
}

void RowCache::mark_dirty(std::uint32_t number, State& state) {
    if (!state.dirty) {
        dirty_.push_back(number);
        state.dirty = true;
    }
}

void RowCache::throw_failure(Error error) {
    failure_ = error;
    throw RowsFailed{std::move(error)};
}

void RowCache::throw_unreadable(std::span<const rows::Cell> row) {
    throw_failure(Error(ErrorCode::corrupt,
                        fmt::format("the row {} of table '{}' does not read as {}: rebuild the projection",
                                    key_text(origin_.form, row), origin_.form.table.name, origin_.form.row_type)));
}

void RowCache::throw_prefix_too_long() const {
    throw std::length_error(
        fmt::format("starting_with() found more than {} rows of table '{}': keep what is asked of "
                    "so many rows in a row of its own",
                    kPrefixRowsMax, origin_.form.table.name));
}

Error RowCache::key_changed(std::span<const rows::Cell> row) const {
    return Error(ErrorCode::user_code,
                 fmt::format("a handler changed the key of a row of table '{}' to {}: put() a row with that key, and "
                             "erase() the other one",
                             origin_.form.table.name, key_text(origin_.form, row)));
}

Error RowCache::unwritable(const char* why) const {
    return Error(ErrorCode::user_code, fmt::format("a handler left a row of table '{}' that has no written form: {}",
                                                   origin_.form.table.name, why));
}

void throw_no_number() {
    throw std::range_error("a column cannot be NaN or infinite");
}
void throw_too_large() {
    throw std::range_error("a column holds whole numbers up to 9223372036854775807");
}
void throw_no_time() {
    throw std::range_error("a column holds times of the years 0001 to 9999");
}
void throw_no_enumerator(std::string_view type) {
    throw std::range_error(fmt::format("a value of enum {} that has no enumerator from 0 to 63", type));
}

}  // namespace leftfold::detail
