#include "leftfold/reaction/typed_reaction.hpp"

struct Happened {};
struct ThingEvents {
    static constexpr std::string_view aggregate = "thing";
    using Event = std::variant<Happened>;
};

struct Referring {
    using Events = leftfold::ReadsFrom<ThingEvents>;
#ifdef LEFTFOLD_COMPILES
    leftfold::Task<leftfold::ReactionResult> on(Happened, leftfold::ReactionContext) const {
        co_return leftfold::ReactionResult::done();
    }
#else
    leftfold::Task<leftfold::ReactionResult> on(const Happened&, leftfold::ReactionContext) const {
        co_return leftfold::ReactionResult::done();
    }
#endif
};

const auto model = leftfold::make_typed_reaction<Referring>("test", "referring");
