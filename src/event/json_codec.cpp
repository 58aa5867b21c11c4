#include "leftfold/event/json_codec.hpp"

namespace leftfold::json::detail {

namespace {

std::string quoted_list(std::span<const std::string_view> names, std::string_view separator) {
    std::string list;
    for (const std::string_view name : names) {
        if (name.empty())
            continue;
        if (!list.empty())
            list += separator;
        write_string(list, name);
    }
    return list;
}

}  // namespace

bool read_timestamp(Reader& in, Timestamp& out) {
    constexpr std::string_view kProblem = "expected an RFC 3339 time such as \"1993-01-31T12:00:00Z\"";
    std::string_view text;
    if (!in.string(text, kProblem))
        return false;
    const auto time = parse_rfc3339(text);
    if (!time)
        return in.fail(std::string(kProblem));
    out = *time;
    return true;
}

bool read_uuid(Reader& in, Uuid& out) {
    constexpr std::string_view kProblem = "expected a UUID such as \"0190c2e4-9f7a-7cc3-98c4-dc0c0c07398f\"";
    std::string_view text;
    if (!in.string(text, kProblem))
        return false;
    const auto id = Uuid::parse(text);
    if (!id)
        return in.fail(std::string(kProblem));
    out = *id;
    return true;
}

bool read_decimal(Reader& in, std::int64_t& minor, unsigned digits) {
    std::string_view text;
    const bool is_string = in.kind() == Kind::string;
    if (is_string && !in.string(text))
        return false;
    const auto value = is_string ? leftfold::detail::parse_decimal(text, digits) : std::nullopt;
    if (!value) {
        std::string example = "12";
        if (digits > 0)
            example += "." + std::string("500000000000000000", digits);
        return in.fail("expected a decimal string such as \"" + example + "\"");
    }
    minor = *value;
    return true;
}

bool read_name(Reader& in, std::span<const std::string_view> names, std::size_t& index) {
    std::string_view text;
    const bool is_string = in.kind() == Kind::string;
    if (is_string && !in.string(text))
        return false;
    for (index = 0; index < names.size(); ++index) {
        if (is_string && !text.empty() && names[index] == text)
            return true;
    }
    return in.fail("expected one of " + quoted_list(names, ", "));
}

bool fail_unknown_alternative(Reader& in, std::string_view tag, std::span<const std::string_view> names) {
    return in.fail_at(
        kTag, (tag.empty() ? "required, but missing; it is one of " : "expected one of ") + quoted_list(names, ", "));
}

void shape_of_names(ShapeWriter& out, std::span<const std::string_view> names) {
    out.out() += "[" + quoted_list(names, ",") + "]";
}

void shape_of_integer(ShapeWriter& out, bool is_signed, unsigned bits) {
    out.name((is_signed ? "int" : "uint") + std::to_string(bits));
}

void shape_of_field_name(ShapeWriter& out, std::string_view name, bool optional) {
    if (out.out().back() != '{')
        out.out().push_back(',');
    out.name(optional ? std::string(name) + "?" : std::string(name));
    out.out().push_back(':');
}

}  // namespace leftfold::json::detail
