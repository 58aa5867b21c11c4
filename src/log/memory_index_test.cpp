#include "memory_index.hpp"

#include <map>

#include <gtest/gtest.h>

namespace leftfold::log {
namespace {

TEST(MemoryIndex, every_version_is_found_in_its_batch) {
    MemoryIndex index;
    std::int64_t version = 100;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        index.add_batch(1, "a", i * 10, Version(version), 1 + i % 3);
        version += 1 + i % 3;
    }
    const MemoryIndex::Stream* stream = index.find(1, "a");
    ASSERT_NE(stream, nullptr);
    for (std::int64_t v = 100; v < version; ++v) {
        const MemoryIndex::Batch* batch = index.find_version(*stream, Version(v));
        ASSERT_NE(batch, nullptr);
        EXPECT_LE(batch->first_version, v);
        EXPECT_GE(batch->last_version(), Version(v));
    }
    EXPECT_EQ(index.find_version(*stream, Version(1))->offset, 0U) << "older: the oldest here";
    EXPECT_EQ(index.find_version(*stream, Version(version)), nullptr);
}

TEST(MemoryIndex, streams_with_equal_hashes_are_kept_apart) {
    MemoryIndex index;
    for (std::uint32_t i = 0; i < 100; ++i)
        index.add_batch(i % 7, "key-" + std::to_string(i), i, Version(i + 1), 1);
    for (std::uint32_t i = 0; i < 100; ++i) {
        const MemoryIndex::Stream* stream = index.find(i % 7, "key-" + std::to_string(i));
        ASSERT_NE(stream, nullptr);
        EXPECT_EQ(index.head(*stream).last_version(), Version(i + 1));
    }
    EXPECT_EQ(index.find(3, "key-4"), nullptr);
    EXPECT_EQ(index.find(99, "key-4"), nullptr);
}

TEST(MemoryIndex, cleared_is_empty_and_serves_again) {
    MemoryIndex index;
    for (int round = 0; round < 5; ++round) {
        // Once many, so that the table grows; then few in a large table.
        const std::uint32_t count = round == 0 ? 1000 : 20;
        for (std::uint32_t i = 0; i < count; ++i) {
            index.add_batch(i * 3 % 64, "k" + std::to_string(i), i, Version(1), 1);
            index.add_command(i % 5, i);
        }
        EXPECT_NE(index.find(3, "k1"), nullptr);
        index.clear();
        for (std::uint32_t i = 0; i < count; ++i)
            ASSERT_EQ(index.find(i * 3 % 64, "k" + std::to_string(i)), nullptr) << round << " " << i;
        int found = 0;
        for (std::uint64_t hash = 0; hash < 5; ++hash)
            index.find_command(hash, [&](std::uint32_t) { return ++found, false; });
        EXPECT_EQ(found, 0);
    }
}

TEST(MemoryIndex, appended_group_moves_by_its_offset) {
    MemoryIndex whole, group;
    whole.add_batch(1, "a", 512, Version(1), 2);
    group.add_batch(1, "a", 0, Version(3), 1);
    group.add_batch(2, "b", 100, Version(1), 1);
    group.add_command(77, 100);
    whole.append(group, 1000);
    EXPECT_EQ(whole.head(*whole.find(1, "a")).last_version(), Version(3));
    EXPECT_EQ(whole.head(*whole.find(2, "b")).offset, 1100U);
    std::vector<std::uint32_t> offsets;
    whole.find_command(77, [&](std::uint32_t offset) { return offsets.push_back(offset), false; });
    EXPECT_EQ(offsets, (std::vector<std::uint32_t>{1100}));
}

}  // namespace
}  // namespace leftfold::log
