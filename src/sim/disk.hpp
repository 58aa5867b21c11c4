// Disk: files and folders of a simulated disk, as the process sees their names and as the disk holds them. Knows
// nothing of ports, faults and handles; every call is one step that succeeds or changes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leftfold/base/error.hpp"
#include "leftfold/env/files.hpp"

#include "crash_dice.hpp"
#include "disk_file.hpp"

namespace leftfold::sim {

using NodeId = std::uint64_t;

struct Node {
    bool is_directory = false;
    DiskFile file;
    std::map<std::string, NodeId> names;          // of a folder, as the process sees them
    std::map<std::string, NodeId> durable_names;  // and as the disk holds them
    std::uint64_t open_count = 0;
    bool is_locked = false;
};

class Disk {
  public:
    Disk();

    Result<NodeId> find(std::string_view path) const;
    Node& node(NodeId id);
    const Node& node(NodeId id) const;

    Result<NodeId> create_file(std::string_view path);
    Result<> create_directories(std::string_view path);
    Result<> rename(std::string_view from, std::string_view to);
    Result<> remove(std::string_view path);
    Result<> sync_directory(std::string_view path);

    void crash(CrashDice& dice);
    // Every handle and lock is gone.
    void release_all();
    // Forgets files that no name and no handle reaches.
    void collect();
    // Of the files that a name or a handle reaches.
    std::uint64_t used_bytes() const;

  private:
    static constexpr NodeId kRoot = 1;
    static constexpr NodeId kNone = 0;

    // A place for a name: its folder and the last component.
    struct Place {
        NodeId folder;
        std::string name;

        friend auto operator<=>(const Place&, const Place&) = default;
    };
    struct Edit {
        Place place;
        NodeId node;  // kNone: the name is removed
    };
    // Durable as a whole or not at all.
    struct NameChange {
        std::vector<Edit> edits;
        NodeId subject;  // the node whose name changes
    };

    static Result<std::vector<std::string>> split(std::string_view path);
    Result<NodeId> walk(const std::vector<std::string>& names, std::size_t count, std::string_view path) const;
    Result<Place> place_of(std::string_view path) const;
    NodeId at(const Place& place) const;
    NodeId add_node(bool is_directory);
    void change(NameChange change);
    void apply_durably(const NameChange& change);
    // Adds to `keep` what the changes in it build upon: earlier ones of the same node or place.
    void close_over_dependencies(std::vector<bool>& keep) const;
    std::set<NodeId> reachable(bool with_durable) const;
    bool leads_through(const std::vector<std::string>& names, NodeId wanted) const;

    std::map<NodeId, Node> nodes_;
    std::vector<NameChange> unsynced_;
    NodeId last_id_ = kRoot;
};

}  // namespace leftfold::sim
