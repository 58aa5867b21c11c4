#include <limits>

#include "leftfold/rows/row_store.hpp"

namespace leftfold::rows {

namespace {

int rank(const Cell& cell) noexcept {
    switch (cell.index()) {
        case 0:
            return 0;
        case 1:
        case 2:
            return 1;
        default:
            return 2;
    }
}

std::weak_ordering compare_reals(double left, double right) noexcept {
    if (left < right)
        return std::weak_ordering::less;
    return left > right ? std::weak_ordering::greater : std::weak_ordering::equivalent;
}

// Exact: a double does not hold every int64.
std::weak_ordering compare_mixed(std::int64_t left, double right) noexcept {
    constexpr double kTwoTo63 = 9223372036854775808.0;
    if (right >= kTwoTo63)
        return std::weak_ordering::less;
    if (right < -kTwoTo63)
        return std::weak_ordering::greater;
    if (right != right)
        return std::weak_ordering::equivalent;
    const auto whole = static_cast<std::int64_t>(right);
    if (left != whole)
        return left <=> whole;
    return compare_reals(0.0, right - static_cast<double>(whole));
}

std::weak_ordering compare_numbers(const Cell& left, const Cell& right) noexcept {
    const auto* left_integer = std::get_if<std::int64_t>(&left);
    const auto* right_integer = std::get_if<std::int64_t>(&right);
    if (left_integer != nullptr && right_integer != nullptr)
        return *left_integer <=> *right_integer;
    if (left_integer != nullptr)
        return compare_mixed(*left_integer, *std::get_if<double>(&right));
    if (right_integer != nullptr)
        return 0 <=> compare_mixed(*right_integer, *std::get_if<double>(&left));
    return compare_reals(*std::get_if<double>(&left), *std::get_if<double>(&right));
}

}  // namespace

std::weak_ordering compare(const Cell& left, const Cell& right) noexcept {
    const int left_rank = rank(left);
    const int right_rank = rank(right);
    if (left_rank != right_rank || left_rank == 0)
        return left_rank <=> right_rank;
    if (left_rank == 1)
        return compare_numbers(left, right);
    return std::get_if<std::string>(&left)->compare(*std::get_if<std::string>(&right)) <=> 0;
}

}  // namespace leftfold::rows
