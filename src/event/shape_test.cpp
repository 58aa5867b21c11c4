#include "leftfold/event/shape.hpp"

#include <gtest/gtest.h>

namespace leftfold {
namespace {

enum class State : std::uint8_t { open, in_review };
struct Tag {
    Key<std::string> name;
};
struct Opened {
    Personal<std::string> owner;
    std::optional<Money> limit;
    std::vector<Tag> tags;
    std::map<std::string, std::uint16_t> counts;
    Bounded<int, -1, 9> level;
    State state;
    Timestamp since;
    Uuid id;
    bool flag;
};
struct Tree {
    std::string name;
    std::vector<Tree> children;
};

TEST(Shape, describes_every_kind_of_type) {
    EXPECT_EQ(shape_of<Opened>(),
              R"J({"owner":{"$personal":"string"},"limit?":"decimal(2)","tags":{"$array":{"name":"string"}},)J"
              R"J("counts":{"$map":"uint16"},"level":{"$range":[-1,9]},"state":{"$enum":["open","in-review"]},)J"
              R"J("since":"timestamp","id":"uuid","flag":"bool"})J");
    EXPECT_EQ((shape_of<std::variant<Tag, Tree>>()),
              R"J({"$one-of":{"tag":{"name":"string"},)J"
              R"J("tree":{"name":"string","children":{"$array":{"$recursive":"tree"}}}}})J");
    EXPECT_EQ(shape_of<std::vector<std::optional<std::int64_t>>>(), R"J({"$array":{"$optional":"int64"}})J");
}

}  // namespace
}  // namespace leftfold
