#include "leftfold/reaction/typed_reaction.hpp"

struct Happened {};
struct Other {};
struct ThingEvents {
    static constexpr std::string_view aggregate = "thing";
    using Event = std::variant<Happened, Other>;
};

struct Nothing {
    using Events = leftfold::ReadsFrom<ThingEvents>;
#ifdef LEFTFOLD_COMPILES
    leftfold::Task<leftfold::ReactionResult> on(Happened) const { co_return leftfold::ReactionResult::done(); }
#endif
};

const auto model = leftfold::make_typed_reaction<Nothing>("test", "nothing");
