#include "leftfold/reaction/typed_reaction.hpp"

struct Happened {};
struct ThingEvents {
    static constexpr std::string_view aggregate = "thing";
    using Event = std::variant<Happened>;
};

struct Streamless {
#ifdef LEFTFOLD_COMPILES
    using Events = leftfold::ReadsFrom<ThingEvents>;
#endif
    leftfold::Task<leftfold::ReactionResult> on(Happened) const { co_return leftfold::ReactionResult::done(); }
};

const auto model = leftfold::make_typed_reaction<Streamless>("test", "streamless");
