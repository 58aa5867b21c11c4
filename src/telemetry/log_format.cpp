#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "leftfold/base/utf8.hpp"
#include "leftfold/telemetry/log.hpp"

namespace leftfold {

namespace {

void append_control(std::string& out, unsigned char c) {
    if (c == '\n')
        out += "\\n";
    else if (c == '\t')
        out += "\\t";
    else
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
}

// As the inside of a JSON string (RFC 8259 §7); bytes that are not UTF-8 become U+FFFD.
void append_escaped(std::string& out, std::string_view text) {
    const std::size_t end = out.size() + kLogTextBytesMax;
    while (!text.empty()) {
        if (out.size() >= end) {
            out += "…";
            return;
        }
        const auto first = static_cast<unsigned char>(text.front());
        const std::size_t length = utf8_sequence_size(text);
        if (length == 0)
            out += "\uFFFD";
        else if (first < 0x20 || first == 0x7F)
            append_control(out, first);
        else if (first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0)
            append_control(out, static_cast<unsigned char>(text[1]));  // C1 controls steer some terminals
        else if (first == '"' || first == '\\')
            out.append({'\\', text.front()});
        else
            out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    append_escaped(out, text);
    out.push_back('"');
}

std::string readable_duration(Duration duration) {
    struct Unit {
        std::int64_t ns;
        std::string_view name;
    };
    constexpr std::array<Unit, 3> kUnits = {{{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}}};
    const std::int64_t ns = duration.count();
    for (const Unit& unit : kUnits)
        if (ns >= unit.ns || ns <= -unit.ns)
            return fmt::format("{:.6g}{}", static_cast<double>(ns) / static_cast<double>(unit.ns), unit.name);
    return fmt::format("{}ns", ns);
}

struct JsonValue {
    std::string& out;

    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
    void operator()(std::uint64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
    void operator()(double value) const {
        if (std::isfinite(value))
            fmt::format_to(std::back_inserter(out), "{}", value);
        else
            out += "null";
    }
    void operator()(std::string_view text) const { append_quoted(out, text); }
    void operator()(Duration value) const {
        fmt::format_to(std::back_inserter(out), "{}", std::chrono::duration<double>(value).count());
    }
    void operator()(Timestamp value) const { append_quoted(out, to_rfc3339(value)); }
    void operator()(const Error* error) const {
        out += R"({"code":)";
        append_quoted(out, to_string(error->code()));
        out += R"(,"message":)";
        append_quoted(out, error->message());
        out.push_back('}');
    }
    void operator()(Secret) const { out += R"("***")"; }
};

struct ReadableValue {
    std::string& out;

    void operator()(bool value) const { out += value ? "true" : "false"; }
    void operator()(std::int64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
    void operator()(std::uint64_t value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
    void operator()(double value) const { fmt::format_to(std::back_inserter(out), "{}", value); }
    void operator()(std::string_view text) const {
        const std::size_t start = out.size();
        append_escaped(out, text);
        const std::string_view written = std::string_view(out).substr(start);
        if (written.empty() || written.find_first_of(" =\\") != std::string_view::npos) {
            out.insert(start, 1, '"');
            out.push_back('"');
        }
    }
    void operator()(Duration value) const { out += readable_duration(value); }
    void operator()(Timestamp value) const { out += to_rfc3339(value); }
    void operator()(const Error* error) const {
        (*this)(fmt::format("{} ({})", error->message(), to_string(error->code())));
    }
    void operator()(Secret) const { out += "***"; }
};

std::string_view colour_of(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug:
            return "\x1b[2m";
        case LogLevel::warning:
            return "\x1b[33m";
        case LogLevel::error:
            return "\x1b[31;1m";
        case LogLevel::info:
        case LogLevel::off:
            break;
    }
    return "\x1b[32m";
}

std::string_view padded_name(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug:
            return "DEBUG";
        case LogLevel::warning:
            return "WARN ";
        case LogLevel::error:
            return "ERROR";
        case LogLevel::info:
        case LogLevel::off:
            break;
    }
    return "INFO ";
}

}  // namespace

std::string format_json(const LogLine& line) {
    std::string out = fmt::format(R"({{"time":"{}","level":"{}","event":"{}")", to_rfc3339(line.time),
                                  to_string(line.level), line.event);
    for (const LogField& field : line.fields) {
        fmt::format_to(std::back_inserter(out), R"(,"{}":)", field.name.name());
        std::visit(JsonValue{out}, field.value.variant());
    }
    if (line.suppressed != 0)
        fmt::format_to(std::back_inserter(out), R"(,"suppressed":{})", line.suppressed);
    out.push_back('}');
    return out;
}

std::string format_readable(const LogLine& line, bool colours) {
    const auto day = std::chrono::floor<std::chrono::days>(line.time);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(line.time - day));
    std::string out =
        fmt::format("{:02}:{:02}:{:02}.{:03} {}{}{} {}", clock.hours().count(), clock.minutes().count(),
                    clock.seconds().count(), clock.subseconds().count(), colours ? colour_of(line.level) : "",
                    padded_name(line.level), colours ? "\x1b[0m" : "", line.event);
    for (const LogField& field : line.fields) {
        fmt::format_to(std::back_inserter(out), " {}=", field.name.name());
        std::visit(ReadableValue{out}, field.value.variant());
    }
    if (line.suppressed != 0)
        fmt::format_to(std::back_inserter(out), " ({} more like this left out)", line.suppressed);
    return out;
}

}  // namespace leftfold
