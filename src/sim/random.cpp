#include "leftfold/sim/random.hpp"

#include <bit>

namespace leftfold::sim {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014): spreads a seed over the state, which must not be all zero.
std::uint64_t split_mix(std::uint64_t& state) noexcept {
    state += 0x9E37'79B9'7F4A'7C15ULL;
    std::uint64_t value = state;
    value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EBULL;
    return value ^ (value >> 31);
}

std::uint64_t seed_for(std::uint64_t seed, std::string_view purpose) noexcept {
    for (const char c : purpose) {
        seed ^= static_cast<unsigned char>(c);
        seed = split_mix(seed);
    }
    return seed;
}

}  // namespace

SimRandom::SimRandom(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_)
        word = split_mix(seed);
}

SimRandom::SimRandom(std::uint64_t seed, std::string_view purpose) noexcept : SimRandom(seed_for(seed, purpose)) {}

std::uint64_t SimRandom::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

}  // namespace leftfold::sim
