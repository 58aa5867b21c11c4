// Rows<R>: a table as the handlers of a projection see it, by key.
//
//   rows[event.account].balance += event.amount;     // get, or make with default values
//   if (const Balance* row = rows.find("acc-1")) …   // only look
//   rows.put({"acc-1", Money("1.00")});              // in place of the one with that key
//   rows.erase("acc-1");
//   for (const Statement* row : rows.starting_with(meta.key)) …   // by the first columns of the key, in its order
//
// A key of several columns is several arguments. References and pointers are good until the handler returns. What was
// changed is written when the batch of events ends, each row once; a handler that throws changes nothing.
//
// Keep to rows that belong to the event's own key, or to operations that commute (sums, counts, highest): events of
// different keys come in another order when the projection is rebuilt. check_interleavings() in testing.hpp finds what
// does not.
//
// Rows known are kept from batch to batch up to a bound. Belongs to one fold, and its thread.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/event/json_reader.hpp"
#include "leftfold/projection/row_type.hpp"
#include "leftfold/rows/row_store.hpp"

namespace leftfold {

namespace detail {

// The store failed while a handler ran: it passes through the handler to the fold. Not a std::exception, so that no
// handler takes it for one of its own.
struct RowsFailed {
    Error error;
};

// From hashes to numbers 0, 1, 2 …, given out in the order of insertion.
class HashNumbers {
  public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    // The number with this hash for which same(number) holds.
    template <class Same>
    std::uint32_t find(std::uint64_t hash, const Same& same) const {
        if (slots_.empty())
            return kNone;
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t slot = hash & mask; slots_[slot] != kNone; slot = (slot + 1) & mask) {
            if (hashes_[slots_[slot]] == hash && same(slots_[slot]))
                return slots_[slot];
        }
        return kNone;
    }
    std::uint32_t insert(std::uint64_t hash);
    std::uint64_t hash_of(std::uint32_t number) const noexcept { return hashes_[number]; }
    std::size_t size() const noexcept { return hashes_.size(); }
    // Keeps its memory.
    void clear() noexcept;

  private:
    void place(std::uint32_t number) noexcept;

    std::vector<std::uint32_t> slots_;  // at most half full; a power of two
    std::vector<std::uint64_t> hashes_;
};

// Where a fold's rows of one table come from and go to.
struct RowsOrigin {
    rows::RowStore& store;
    rows::TableId table;
    const TableForm& form;
    std::size_t rows_max;
};

// The part of Rows that is not a template.
class RowCache {
  public:
    RowCache(const RowCache&) = delete;
    RowCache& operator=(const RowCache&) = delete;

    // More rows are known, or more of their bytes, than may be kept: write them and forget them.
    bool is_full() const noexcept { return numbers_.size() > origin_.rows_max || bytes_ > kBytesMax; }

    static constexpr std::size_t kRowsMax = std::size_t{1} << 16;
    static constexpr std::size_t kBytesMax = std::size_t{64} << 20;  // of texts
    static constexpr std::size_t kPrefixRowsMax = 10'000;            // that starting_with() gives

  protected:
    explicit RowCache(const RowsOrigin& origin);

    enum class Presence : std::uint8_t { absent, present };
    struct State {
        Presence presence = Presence::absent;
        bool dirty = false;
        bool maybe_stored = false;  // an erased row that the store never had needs no erasing
        std::size_t bytes = 0;      // of its texts, when they were last seen as cells
    };

    std::span<rows::Cell> key_cells() noexcept { return std::span(cells_).first(origin_.form.table.key_columns); }
    // Of the key in key_cells().
    std::optional<rows::Row> read_row();
    // The next rows behind `query.after` of those that begin with its filters; moves `after` on.
    std::vector<rows::Row> read_page(rows::Query& query);
    void count_bytes(State& state, std::span<const rows::Cell> cells) noexcept;
    void mark_dirty(std::uint32_t number, State& state);
    // Of the store, in the midst of a handler: passes through it, and if it does not, flush() tells.
    [[noreturn]] void throw_failure(Error error);
    [[noreturn]] void throw_unreadable(std::span<const rows::Cell> row);
    [[noreturn]] void throw_prefix_too_long() const;
    Error key_changed(std::span<const rows::Cell> row) const;
    Error unwritable(const char* why) const;

    RowsOrigin origin_;
    HashNumbers numbers_;
    std::vector<std::uint32_t> dirty_;
    std::vector<rows::Cell> cells_;  // scratch: one row
    std::size_t bytes_ = 0;
    std::optional<Error> failure_;
    json::Reader reader_;
};

template <class T>
const T& unmarked(const T& value) noexcept {
    return value;  // NOLINT(bugprone-return-const-ref-from-parameter): temporaries are refused below
}
template <class T>
const T& unmarked(const T&& value) = delete;
template <class Mark, class T>
const auto& unmarked(const Marked<Mark, T>& value) noexcept {
    return unmarked(value.value());
}

// Arguments K…, for the first columns of a key.
template <class R, class... K, std::size_t... I>
consteval bool names_key(std::index_sequence<I...>) {
    return (std::convertible_to<decltype(unmarked(std::declval<const K&>())), typename KeyPart<FieldOf<R, I>>::View> &&
            ...);
}

}  // namespace detail

template <class R>
class Rows : public detail::RowCache {
    static_assert(check_row<R>());
    using Key = detail::KeyOf<R>;
    using KeyView = typename Key::View;
    static constexpr std::size_t kKeyCount = std::tuple_size_v<KeyView>;

  public:
    explicit Rows(const detail::RowsOrigin& origin) : RowCache(origin) {}

    template <class... K>
    const R* find(const K&... key) {
        const Entry& entry = known(view_of(key...)).second;
        return entry.state.presence == Presence::present ? &entry.row : nullptr;
    }

    template <class... K>
    R& operator[](const K&... key) {
        const KeyView view = view_of(key...);
        const auto [number, entry] = known(view);
        if (entry.state.presence == Presence::absent) {
            make_empty(entry.row, view);
            entry.state.presence = Presence::present;
        }
        mark_dirty(number, entry.state);
        return entry.row;
    }

    void put(R row) {
        const auto [number, entry] = known_or_unread(Key::of(row));
        entry.row = std::move(row);
        entry.state.presence = Presence::present;
        mark_dirty(number, entry.state);
    }

    template <class... K>
    void erase(const K&... key) {
        const auto [number, entry] = known_or_unread(view_of(key...));
        entry.state.presence = Presence::absent;
        mark_dirty(number, entry.state);
    }

    // All rows whose key begins with these columns, at most kPrefixRowsMax. What is then written through operator[] or
    // erase() does not change the list.
    template <class... K>
    std::vector<const R*> starting_with(const K&... key);

    // For the fold: writes what changed. After an error: discard().
    Result<> flush();
    void discard() noexcept {
        numbers_.clear();
        dirty_.clear();
        bytes_ = 0;
        failure_.reset();
    }

  private:
    struct Entry {
        State state;
        R row{};
    };
    using Numbered = std::pair<std::uint32_t, Entry&>;
    static constexpr std::size_t kChunk = 64;

    template <class... K>
    static KeyView view_of(const K&... key) {
        static_assert(sizeof...(K) == kKeyCount,
                      "leftfold: give one argument for each Key<> column of the row, in order");
        if constexpr (sizeof...(K) == kKeyCount) {
            static_assert(detail::names_key<R, K...>(std::make_index_sequence<sizeof...(K)>()),
                          "leftfold: an argument does not convert to its Key<> column of the row");
            return KeyView(detail::unmarked(key)...);
        }
    }
    // A row of before may stand there, whose texts keep their memory.
    static void make_empty(R& row, const KeyView& key) {
        R fresh{};
        Key::set(fresh, key);
        row = std::move(fresh);
    }

    Entry& entry_at(std::uint32_t number) noexcept { return chunks_[number / kChunk][number % kChunk]; }
    std::uint32_t find_number(std::uint64_t hash, const KeyView& key) {
        return numbers_.find(hash, [&](std::uint32_t number) { return Key::of(entry_at(number).row) == key; });
    }
    Numbered add(std::uint64_t hash) {
        const std::uint32_t number = numbers_.insert(hash);
        if (number / kChunk == chunks_.size())
            chunks_.push_back(std::make_unique<Entry[]>(kChunk));
        Entry& added = entry_at(number);
        added.state = {};
        return {number, added};
    }
    void take(Entry& entry, std::span<rows::Cell> row) {
        count_bytes(entry.state, row);
        if (!detail::read_cells(row, entry.row, reader_))
            throw_unreadable(row);
        entry.state.presence = Presence::present;
        entry.state.maybe_stored = true;
    }

    Numbered known(const KeyView& key) {
        const std::uint64_t hash = Key::hash(key);
        if (const std::uint32_t number = find_number(hash, key); number != detail::HashNumbers::kNone)
            return {number, entry_at(number)};
        Key::write(key_cells(), std::make_index_sequence<kKeyCount>(), key);
        auto row = read_row();
        const Numbered added = add(hash);
        if (row)
            take(added.second, *row);
        else
            Key::set(added.second.row, key);
        return added;
    }
    // For who overwrites it: the store is not asked.
    Numbered known_or_unread(const KeyView& key) {
        const std::uint64_t hash = Key::hash(key);
        if (const std::uint32_t number = find_number(hash, key); number != detail::HashNumbers::kNone)
            return {number, entry_at(number)};
        const Numbered added = add(hash);
        Key::set(added.second.row, key);
        added.second.state.maybe_stored = true;
        return added;
    }

    Result<> write(std::uint32_t number, Entry& entry);

    std::vector<std::unique_ptr<Entry[]>> chunks_;  // never moved: references stay good
};

template <class R>
Result<> Rows<R>::write(std::uint32_t number, Entry& entry) {
    try {
        const KeyView key = Key::of(entry.row);
        const bool same_key = Key::hash(key) == numbers_.hash_of(number);
        if (same_key && entry.state.presence == Presence::absent) {
            if (!entry.state.maybe_stored)
                return {};
            Key::write(key_cells(), std::make_index_sequence<kKeyCount>(), key);
            entry.state.maybe_stored = false;
            return origin_.store.erase(origin_.table, key_cells());
        }
        detail::write_cells(std::span(cells_), entry.row);
        if (!same_key)
            return std::unexpected(key_changed(cells_));
    } catch (const std::exception& thrown) {
        return std::unexpected(unwritable(thrown.what()));
    }
    count_bytes(entry.state, cells_);
    entry.state.maybe_stored = true;
    return origin_.store.put(origin_.table, cells_);
}

template <class R>
Result<> Rows<R>::flush() {
    if (failure_)
        return std::unexpected(*failure_);
    // In the order of the key, as the store keeps them: neighbours are in the same page.
    std::ranges::sort(dirty_, {}, [&](std::uint32_t number) { return Key::of(entry_at(number).row); });
    for (const std::uint32_t number : dirty_) {
        Entry& changed = entry_at(number);
        LEFTFOLD_CHECK(write(number, changed));
        changed.state.dirty = false;
    }
    dirty_.clear();
    if (is_full())
        discard();
    return {};
}

template <class R>
template <class... K>
std::vector<const R*> Rows<R>::starting_with(const K&... key) {
    static_assert(sizeof...(K) >= 1 && sizeof...(K) < kKeyCount,
                  "leftfold: give the first columns of the row's key, not all: for all there is find()");
    static_assert(detail::names_key<R, K...>(std::make_index_sequence<sizeof...(K)>()),
                  "leftfold: an argument does not convert to its Key<> column of the row");
    // The store has to know what this batch changed. Who holds a reference may go on to change it: it stays dirty.
    for (const std::uint32_t number : dirty_) {
        if (auto written = write(number, entry_at(number)); !written)
            throw_failure(std::move(written).error());
    }
    rows::Query query{.table = origin_.table};
    Key::write(key_cells(), std::make_index_sequence<sizeof...(K)>(), std::forward_as_tuple(detail::unmarked(key)...));
    for (std::uint32_t i = 0; i < sizeof...(K); ++i)
        query.filters.push_back({i, rows::Bound{cells_[i]}, rows::Bound{cells_[i]}});
    std::vector<const R*> found;
    for (std::vector<rows::Row> page; !(page = read_page(query)).empty();) {
        if (found.size() + page.size() > kPrefixRowsMax)
            throw_prefix_too_long();
        for (rows::Row& row : page) {
            R read{};
            if (!detail::read_cells(std::span(row), read, reader_))
                throw_unreadable(row);
            const std::uint64_t hash = Key::hash(Key::of(read));
            std::uint32_t number = find_number(hash, Key::of(read));
            if (number == detail::HashNumbers::kNone) {
                const Numbered added = add(hash);
                number = added.first;
                added.second.row = std::move(read);
                added.second.state.presence = Presence::present;
                added.second.state.maybe_stored = true;
            }
            found.push_back(&entry_at(number).row);
        }
    }
    return found;
}

}  // namespace leftfold
