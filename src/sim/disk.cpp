#include "disk.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "leftfold/base/assert.hpp"

namespace leftfold::sim {

namespace {

std::unexpected<Error> no_such(std::string_view path) {
    return fail(ErrorCode::not_found, fmt::format("'{}': no such file or folder", path));
}

std::unexpected<Error> not_a_folder(std::string_view path) {
    return fail(ErrorCode::io, fmt::format("'{}': not a folder", path));
}

}  // namespace

Disk::Disk() {
    nodes_[kRoot].is_directory = true;
}

Node& Disk::node(NodeId id) {
    const auto found = nodes_.find(id);
    LEFTFOLD_ASSERT(found != nodes_.end());
    return found->second;
}

const Node& Disk::node(NodeId id) const {
    const auto found = nodes_.find(id);
    LEFTFOLD_ASSERT(found != nodes_.end());
    return found->second;
}

// The working folder is the root: "a" and "/a" are the same.
Result<std::vector<std::string>> Disk::split(std::string_view path) {
    if (path.empty())
        return no_such(path);
    std::vector<std::string> names;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view name = path.substr(begin, end - begin);
        if (name == "..")
            return fail(ErrorCode::invalid_argument, fmt::format("'{}': '..' is not simulated", path));
        if (!name.empty() && name != ".")
            names.emplace_back(name);
        begin = end + 1;
    }
    return names;
}

// The node that the first `count` names lead to.
Result<NodeId> Disk::walk(const std::vector<std::string>& names, std::size_t count, std::string_view path) const {
    NodeId id = kRoot;
    for (std::size_t i = 0; i < count; ++i) {
        const Node& folder = node(id);
        if (!folder.is_directory)
            return not_a_folder(path);
        const auto found = folder.names.find(names[i]);
        if (found == folder.names.end())
            return no_such(path);
        id = found->second;
    }
    return id;
}

Result<NodeId> Disk::find(std::string_view path) const {
    LEFTFOLD_TRY(names, split(path));
    return walk(names, names.size(), path);
}

Result<Disk::Place> Disk::place_of(std::string_view path) const {
    LEFTFOLD_TRY(names, split(path));
    if (names.empty())
        return fail(ErrorCode::invalid_argument, fmt::format("'{}' is the root", path));
    LEFTFOLD_TRY(folder, walk(names, names.size() - 1, path));
    if (!node(folder).is_directory)
        return not_a_folder(path);
    return Place{folder, names.back()};
}

NodeId Disk::at(const Place& place) const {
    const auto& names = node(place.folder).names;
    const auto found = names.find(place.name);
    return found == names.end() ? kNone : found->second;
}

NodeId Disk::add_node(bool is_directory) {
    nodes_[++last_id_].is_directory = is_directory;
    return last_id_;
}

void Disk::change(NameChange change) {
    for (const Edit& edit : change.edits) {
        auto& names = node(edit.place.folder).names;
        if (edit.node == kNone)
            names.erase(edit.place.name);
        else
            names[edit.place.name] = edit.node;
    }
    unsynced_.push_back(std::move(change));
}

void Disk::apply_durably(const NameChange& change) {
    for (const Edit& edit : change.edits) {
        auto& names = node(edit.place.folder).durable_names;
        if (edit.node == kNone)
            names.erase(edit.place.name);
        else
            names[edit.place.name] = edit.node;
    }
}

Result<NodeId> Disk::create_file(std::string_view path) {
    LEFTFOLD_TRY(place, place_of(path));
    if (at(place) != kNone)
        return fail(ErrorCode::already_exists, fmt::format("'{}' exists", path));
    const NodeId id = add_node(false);
    change({{{std::move(place), id}}, id});
    return id;
}

Result<> Disk::create_directories(std::string_view path) {
    LEFTFOLD_TRY(names, split(path));
    NodeId folder = kRoot;
    for (const std::string& name : names) {
        Place place{folder, name};
        NodeId next = at(place);
        if (next == kNone) {
            next = add_node(true);
            change({{{std::move(place), next}}, next});
        }
        if (!node(next).is_directory)
            return not_a_folder(path);
        folder = next;
    }
    return {};
}

// Whether the path passes through a node.
bool Disk::leads_through(const std::vector<std::string>& names, NodeId wanted) const {
    for (std::size_t count = 0; count < names.size(); ++count)
        if (const auto id = walk(names, count, ""); id && *id == wanted)
            return true;
    return false;
}

Result<> Disk::rename(std::string_view from, std::string_view to) {
    LEFTFOLD_TRY(source, place_of(from));
    LEFTFOLD_TRY(target, place_of(to));
    const NodeId moved = at(source);
    if (moved == kNone)
        return no_such(from);
    const NodeId replaced = at(target);
    if (replaced == moved)
        return {};
    LEFTFOLD_TRY(target_names, split(to));
    if (leads_through(target_names, moved))
        return fail(ErrorCode::invalid_argument, fmt::format("'{}' lies within '{}'", to, from));
    if (replaced != kNone) {
        const Node& old = node(replaced);
        if (old.is_directory != node(moved).is_directory)
            return fail(ErrorCode::io, fmt::format("'{}': one is a folder, the other is not", to));
        if (!old.names.empty())
            return fail(ErrorCode::io, fmt::format("'{}': folder is not empty", to));
    }
    change({{{std::move(source), kNone}, {std::move(target), moved}}, moved});
    return {};
}

Result<> Disk::remove(std::string_view path) {
    LEFTFOLD_TRY(place, place_of(path));
    const NodeId id = at(place);
    if (id == kNone)
        return no_such(path);
    if (!node(id).names.empty())
        return fail(ErrorCode::io, fmt::format("'{}': folder is not empty", path));
    change({{{std::move(place), kNone}}, id});
    return {};
}

void Disk::close_over_dependencies(std::vector<bool>& keep) const {
    std::set<NodeId> nodes;
    std::set<Place> places;
    for (std::size_t i = unsynced_.size(); i-- > 0;) {
        const NameChange& change = unsynced_[i];
        const bool is_needed =
            nodes.contains(change.subject) ||
            std::ranges::any_of(change.edits, [&](const Edit& edit) { return places.contains(edit.place); });
        if (!is_needed && !keep[i])
            continue;
        keep[i] = true;
        nodes.insert(change.subject);
        for (const Edit& edit : change.edits)
            places.insert(edit.place);
    }
}

Result<> Disk::sync_directory(std::string_view path) {
    LEFTFOLD_TRY(folder, find(path));
    if (!node(folder).is_directory)
        return not_a_folder(path);
    std::vector<bool> keep;
    for (const NameChange& change : unsynced_)
        keep.push_back(
            std::ranges::any_of(change.edits, [&](const Edit& edit) { return edit.place.folder == folder; }));
    close_over_dependencies(keep);
    std::vector<NameChange> left;
    for (std::size_t i = 0; i < unsynced_.size(); ++i) {
        if (keep[i])
            apply_durably(unsynced_[i]);
        else
            left.push_back(std::move(unsynced_[i]));
    }
    unsynced_ = std::move(left);
    collect();
    return {};
}

void Disk::crash(CrashDice& dice) {
    std::vector<bool> keep(unsynced_.size(), false);
    if (dice.names_in_order()) {
        const auto count = static_cast<std::ptrdiff_t>(dice.prefix(unsynced_.size()));
        std::fill(keep.begin(), keep.begin() + count, true);
    } else {
        for (std::size_t i = 0; i < keep.size(); ++i)
            keep[i] = dice.keeps_name();
        close_over_dependencies(keep);
    }
    for (std::size_t i = 0; i < unsynced_.size(); ++i) {
        if (keep[i])
            apply_durably(unsynced_[i]);
        ++(keep[i] ? dice.report().names_kept : dice.report().names_dropped);
    }
    unsynced_.clear();
    for (auto& [id, node] : nodes_) {
        node.names = node.durable_names;
        node.file.crash(dice);
    }
    release_all();
}

void Disk::release_all() {
    for (auto& [id, node] : nodes_) {
        node.open_count = 0;
        node.is_locked = false;
    }
    collect();
}

// What a name leads to, now or after a crash, and what is open.
std::set<NodeId> Disk::reachable(bool with_durable) const {
    std::set<NodeId> found;
    std::vector<NodeId> todo{kRoot};
    const auto add = [&](NodeId id) {
        if (id != kNone && !found.contains(id))
            todo.push_back(id);
    };
    for (const auto& [id, node] : nodes_)
        if (node.open_count > 0 || node.is_locked)
            add(id);
    if (with_durable) {
        for (const NameChange& change : unsynced_) {
            add(change.subject);
            for (const Edit& edit : change.edits) {
                add(edit.place.folder);
                add(edit.node);
            }
        }
    }
    while (!todo.empty()) {
        const NodeId id = todo.back();
        todo.pop_back();
        if (!found.insert(id).second)
            continue;
        for (const auto& [name, child] : node(id).names)
            add(child);
        if (with_durable)
            for (const auto& [name, child] : node(id).durable_names)
                add(child);
    }
    return found;
}

void Disk::collect() {
    const std::set<NodeId> alive = reachable(true);
    std::erase_if(nodes_, [&](const auto& entry) { return !alive.contains(entry.first); });
}

std::uint64_t Disk::used_bytes() const {
    std::uint64_t bytes = 0;
    for (const NodeId id : reachable(false))
        bytes += node(id).file.size();
    return bytes;
}

}  // namespace leftfold::sim
