// Value: where the text of a setting, flag or argument goes, and what it may be.
//
// It borrows a variable of the caller's (usually a member of a settings struct), whose present content is the default.
// A text that does not fit leaves the variable as it was; the error says what is expected, and not what was given, so
// that secrets stay out of messages.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "leftfold/base/assert.hpp"
#include "leftfold/base/error.hpp"
#include "leftfold/base/time.hpp"
#include "leftfold/env/network.hpp"

namespace leftfold {

// "64MiB": a whole number with B, KiB, MiB, GiB or TiB; without a unit, bytes.
Result<std::uint64_t> parse_size_bytes(std::string_view text);
std::string print_size_bytes(std::uint64_t size_bytes);

// "10s": a whole number with ns, us, ms, s, m, h or d.
Result<Duration> parse_duration(std::string_view text);
std::string print_duration(Duration duration);

// As leftfold::to_string(Endpoint) writes it: "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "unix:/path".
Result<Endpoint> parse_endpoint(std::string_view text);

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max);

class Value {
  public:
    // How it is written in a TOML file.
    enum class Kind : std::uint8_t { text, boolean, integer, size, list };

    static Value text(std::string& target, std::string placeholder = "TEXT");
    static Value text(std::optional<std::string>& target, std::string placeholder = "TEXT");

    // As a flag it needs no value: --json, or --json=false.
    static Value boolean(bool& target);

    template <std::integral T>
        requires(!std::same_as<T, bool>)
    static Value integer(T& target, std::type_identity_t<T> min = lowest<T>(),
                         std::type_identity_t<T> max = highest<T>()) {
        LEFTFOLD_ASSERT(std::in_range<std::int64_t>(min) && std::in_range<std::int64_t>(max) && min <= max);
        return scalar<T>(
            Kind::integer, "N", target,
            [min, max](std::string_view text) -> Result<T> {
                LEFTFOLD_TRY(value,
                             parse_integer(text, static_cast<std::int64_t>(min), static_cast<std::int64_t>(max)));
                return static_cast<T>(value);
            },
            [](const T& value) { return std::to_string(value); });
    }

    static Value size_bytes(std::uint64_t& target, std::uint64_t min = 0,
                            std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
    static Value duration(Duration& target, Duration min = Duration::zero(), Duration max = Duration::max());
    static Value endpoint(Endpoint& target);

    // One of the named values; the present content must be among them.
    template <std::equality_comparable T>
    static Value choice(T& target, std::vector<std::pair<std::string, T>> names) {
        std::string list;
        for (const auto& [name, value] : names)
            list += (list.empty() ? "" : "|") + name;
        auto print = [names](const T& wanted) {
            const auto found = std::ranges::find(names, wanted, &std::pair<std::string, T>::second);
            LEFTFOLD_ASSERT(found != names.end());
            return found->first;
        };
        return scalar<T>(
            Kind::text, list, target,
            [names = std::move(names), list](std::string_view text) -> Result<T> {
                for (const auto& [name, value] : names)
                    if (name == text)
                        return value;
                return fail(ErrorCode::invalid_argument, "expected one of " + list);
            },
            std::move(print));
    }

    // In a variable or flag separated by commas; a flag may come several times; an argument takes all that is left.
    static Value list(std::vector<std::string>& target);

    // Anything else. The error of `parse` says what is expected: "expected an amount such as 12.50".
    template <class T>
    static Value custom(T& target, std::string placeholder, std::function<Result<T>(std::string_view)> parse,
                        std::function<std::string(const T&)> print) {
        return scalar<T>(Kind::text, std::move(placeholder), target, std::move(parse), std::move(print));
    }
    template <class T>
    static Value custom(std::optional<T>& target, std::string placeholder,
                        std::function<Result<T>(std::string_view)> parse, std::function<std::string(const T&)> print) {
        return Value(
            Kind::text, std::move(placeholder),
            [&target, parse = std::move(parse)](std::span<const std::string> texts) -> Result<> {
                LEFTFOLD_TRY(value, parse(texts.front()));
                target = std::move(value);
                return {};
            },
            [&target, print = std::move(print)] {
                return target ? std::vector<std::string>{print(*target)} : std::vector<std::string>{};
            });
    }

    Kind kind() const noexcept { return kind_; }
    // For help: "N", "SIZE", "debug|info".
    const std::string& placeholder() const noexcept { return placeholder_; }

    // One text, or any number for a list.
    Result<> assign(std::span<const std::string> texts) const;

    // The present content; nothing if it is unset.
    std::vector<std::string> texts() const { return texts_(); }

  private:
    using Assign = std::function<Result<>(std::span<const std::string>)>;
    using Texts = std::function<std::vector<std::string>()>;

    Value(Kind kind, std::string placeholder, Assign assign, Texts texts)
        : kind_(kind), placeholder_(std::move(placeholder)), assign_(std::move(assign)), texts_(std::move(texts)) {}

    template <class T, class Parse, class Print>
    static Value scalar(Kind kind, std::string placeholder, T& target, Parse parse, Print print) {
        return Value(
            kind, std::move(placeholder),
            [&target, parse = std::move(parse)](std::span<const std::string> texts) -> Result<> {
                LEFTFOLD_TRY(value, parse(texts.front()));
                target = std::move(value);
                return {};
            },
            [&target, print = std::move(print)] { return std::vector<std::string>{print(target)}; });
    }
    template <class T>
    static constexpr T lowest() {
        return std::in_range<std::int64_t>(std::numeric_limits<T>::min()) ? std::numeric_limits<T>::min() : T{};
    }
    template <class T>
    static constexpr T highest() {
        return std::in_range<std::int64_t>(std::numeric_limits<T>::max())
                   ? std::numeric_limits<T>::max()
                   : static_cast<T>(std::numeric_limits<std::int64_t>::max());
    }

    Kind kind_;
    std::string placeholder_;
    Assign assign_;
    Texts texts_;
};

}  // namespace leftfold
