#include "leftfold/app/value.hpp"

#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace leftfold {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Largest first.
constexpr std::array<Unit, 5> kSizeUnits = {
    {{"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}}};
constexpr std::array<Unit, 7> kDurationUnits = {{{"d", 86'400'000'000'000},
                                                 {"h", 3'600'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"ms", 1'000'000},
                                                 {"us", 1'000},
                                                 {"ns", 1}}};

// A whole number and a unit; nothing if it is not of that form, or too large.
template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                             std::string_view default_unit) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc())
        return std::nullopt;
    std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (name.empty())
        name = default_unit;
    for (const Unit& unit : units)
        if (unit.name == name)
            return number > std::numeric_limits<std::uint64_t>::max() / unit.factor
                       ? std::nullopt
                       : std::optional(number * unit.factor);
    return std::nullopt;
}

template <std::size_t N>
std::string print_with_unit(std::uint64_t number, const std::array<Unit, N>& units, std::string_view unit_of_zero) {
    if (number == 0)
        return fmt::format("0{}", unit_of_zero);
    for (const Unit& unit : units)
        if (number % unit.factor == 0)
            return fmt::format("{}{}", number / unit.factor, unit.name);
    return fmt::format("{}", number);
}

// "a number from 0 to 65535", where a side without a bound is left out.
std::string range_text(std::string_view what, const std::string& min, const std::string& max) {
    if (!min.empty() && !max.empty())
        return fmt::format("expected {} from {} to {}", what, min, max);
    if (!min.empty())
        return fmt::format("expected {}, {} or more", what, min);
    if (!max.empty())
        return fmt::format("expected {}, {} or less", what, max);
    return fmt::format("expected {}", what);
}

}  // namespace

Result<std::uint64_t> parse_size_bytes(std::string_view text) {
    if (const auto size = parse_with_unit(text, kSizeUnits, "B"))
        return *size;
    return fail(ErrorCode::invalid_argument, "expected a size in B, KiB, MiB, GiB or TiB, such as 64MiB");
}

std::string print_size_bytes(std::uint64_t size_bytes) {
    return print_with_unit(size_bytes, kSizeUnits, "B");
}

Result<Duration> parse_duration(std::string_view text) {
    if (const auto ns = parse_with_unit(text, kDurationUnits, ""); ns && std::in_range<Duration::rep>(*ns))
        return Duration(static_cast<Duration::rep>(*ns));
    return fail(ErrorCode::invalid_argument, "expected a duration in ns, us, ms, s, m, h or d, such as 10s");
}

std::string print_duration(Duration duration) {
    const std::int64_t ns = duration.count();
    const auto magnitude = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    return (ns < 0 ? "-" : "") + print_with_unit(magnitude, kDurationUnits, "s");
}

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= min && value <= max)
        return value;
    using Limits = std::numeric_limits<std::int64_t>;
    return fail(ErrorCode::invalid_argument,
                range_text("a whole number", min == Limits::min() ? "" : std::to_string(min),
                           max == Limits::max() ? "" : std::to_string(max)));
}

Result<Endpoint> parse_endpoint(std::string_view text) {
    constexpr std::size_t kUnixPathMax = 107;  // sun_path, with its terminating zero
    if (text.starts_with("unix:")) {
        const std::string_view path = text.substr(5);
        if (!path.empty() && path.size() <= kUnixPathMax)
            return UnixEndpoint{std::string(path)};
        return fail(ErrorCode::invalid_argument,
                    fmt::format("expected unix: and a path of 1 to {} bytes", kUnixPathMax));
    }
    const std::size_t colon = text.rfind(':');
    if (colon != std::string_view::npos) {
        std::string host(text.substr(0, colon));
        const auto port = parse_integer(text.substr(colon + 1), 0, 65535);
        std::array<unsigned char, 16> address{};
        bool is_host = host == "localhost" || ::inet_pton(AF_INET, host.c_str(), address.data()) == 1;
        if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
            host = host.substr(1, host.size() - 2);
            is_host = ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
        }
        if (is_host && port && text.find('\0') == std::string_view::npos)
            return TcpEndpoint{std::move(host), static_cast<std::uint16_t>(*port)};
    }
    return fail(ErrorCode::invalid_argument,
                "expected an address and a port, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080, or unix:/path");
}

Value Value::text(std::string& target, std::string placeholder) {
    return scalar<std::string>(
        Kind::text, std::move(placeholder), target,
        [](std::string_view text) -> Result<std::string> { return std::string(text); },
        [](const std::string& value) { return value; });
}

Value Value::text(std::optional<std::string>& target, std::string placeholder) {
    return custom<std::string>(
        target, std::move(placeholder), [](std::string_view text) -> Result<std::string> { return std::string(text); },
        [](const std::string& value) { return value; });
}

Value Value::boolean(bool& target) {
    return scalar<bool>(
        Kind::boolean, "true|false", target,
        [](std::string_view text) -> Result<bool> {
            if (text == "true" || text == "yes" || text == "on" || text == "1")
                return true;
            if (text == "false" || text == "no" || text == "off" || text == "0")
                return false;
            return fail(ErrorCode::invalid_argument, "expected true or false");
        },
        [](bool value) { return std::string(value ? "true" : "false"); });
}

Value Value::size_bytes(std::uint64_t& target, std::uint64_t min, std::uint64_t max) {
    return scalar<std::uint64_t>(
        Kind::size, "SIZE", target,
        [min, max](std::string_view text) -> Result<std::uint64_t> {
            LEFTFOLD_TRY(size, parse_size_bytes(text));
            if (size >= min && size <= max)
                return size;
            return fail(ErrorCode::invalid_argument,
                        range_text("a size", min == 0 ? "" : print_size_bytes(min),
                                   max == std::numeric_limits<std::uint64_t>::max() ? "" : print_size_bytes(max)));
        },
        [](std::uint64_t value) { return print_size_bytes(value); });
}

Value Value::duration(Duration& target, Duration min, Duration max) {
    return scalar<Duration>(
        Kind::text, "DURATION", target,
        [min, max](std::string_view text) -> Result<Duration> {
            LEFTFOLD_TRY(duration, parse_duration(text));
            if (duration >= min && duration <= max)
                return duration;
            return fail(ErrorCode::invalid_argument,
                        range_text("a duration", min <= Duration::zero() ? "" : print_duration(min),
                                   max == Duration::max() ? "" : print_duration(max)));
        },
        [](Duration value) { return print_duration(value); });
}

Value Value::endpoint(Endpoint& target) {
    return scalar<Endpoint>(Kind::text, "ENDPOINT", target, parse_endpoint,
                            [](const Endpoint& value) { return to_string(value); });
}

Value Value::list(std::vector<std::string>& target) {
    return Value(
        Kind::list, "TEXT,…",
        [&target](std::span<const std::string> texts) -> Result<> {
            target.assign(texts.begin(), texts.end());
            return {};
        },
        [&target] { return target; });
}

Result<> Value::assign(std::span<const std::string> texts) const {
    if (kind_ != Kind::list)
        return texts.size() == 1 ? assign_(texts) : fail(ErrorCode::invalid_argument, "expected one value");
    return assign_(texts);
}

}  // namespace leftfold
