#include "index_file.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "leftfold/sim/env.hpp"

#include "hash.hpp"

namespace leftfold::log {
namespace {

constexpr IndexedSegment kSegment{.seed = 7, .bytes = 5'000'000, .hash_seed = 11};

class IndexFileTest : public testing::Test {
  protected:
    // Streams of 1 to 9 batches with 1 to 3 records; every third batch has a client's command.
    void build(std::uint32_t stream_count) {
        std::vector<std::int64_t> next(stream_count, 1);
        std::uint32_t offset = 512;
        for (std::uint32_t round = 0; round < 9; ++round) {
            for (std::uint32_t stream = round; stream < stream_count; stream += round + 1) {
                const std::uint32_t count = 1 + (stream + round) % 3;
                index_.batches.add_batch(hash_of(stream), key_of(stream), offset, Version(next[stream]), count);
                for (std::uint32_t i = 0; i < count; ++i)
                    offsets_[stream].push_back(offset);
                next[stream] += count;
                if (offset % 3 == 0) {
                    index_.batches.add_command(command_hash(hash_of(stream), fmt::to_string(offset)), offset);
                    commands_.emplace_back(command_hash(hash_of(stream), fmt::to_string(offset)), offset);
                }
                index_.note_place(Position(offset), offset);
                offset += 100;
            }
        }
        index_.end = Position(offset);
        index_.recorded_at_last = timestamp_from_micros(99);
        auto written = write_index(sim_.files(), "/index", index_, kSegment);
        ASSERT_TRUE(written) << written.error().message();
        written_ = *std::move(written);
        auto file = sim_.files().open("/index", OpenMode::read);
        ASSERT_TRUE(file);
        file_ = *std::move(file);
    }

    static std::string key_of(std::uint32_t stream) { return fmt::format("key-{}", stream); }
    // Some streams collide.
    static std::uint64_t hash_of(std::uint32_t stream) {
        return key_hash(11, key_of(stream % 10 == 9 ? stream - 1 : stream));
    }

    sim::SimEnv sim_{1};
    SegmentIndex index_;
    std::map<std::uint32_t, std::vector<std::uint32_t>> offsets_;  // by stream: of the batch of each version
    std::vector<std::pair<std::uint64_t, std::uint32_t>> commands_;
    std::unique_ptr<IndexFile> written_;
    std::unique_ptr<File> file_;
};

TEST_F(IndexFileTest, every_version_of_every_stream_is_found) {
    build(500);
    for (const auto& [stream, offsets] : offsets_) {
        const auto found = written_->find_streams(*file_, hash_of(stream));
        ASSERT_TRUE(found) << found.error().message();
        ASSERT_EQ(found->size(), stream % 10 >= 8 ? 2U : 1U);
        const auto own = std::ranges::find(*found, offsets.back(), &IndexFile::Stream::newest_offset);
        ASSERT_NE(own, found->end());
        EXPECT_EQ(own->first, Version(1));
        EXPECT_EQ(own->last.value(), static_cast<std::int64_t>(offsets.size()));
        for (std::size_t v = 0; v < offsets.size(); ++v) {
            const auto batches = written_->batches(*file_, *own, Version(static_cast<std::int64_t>(v) + 1), 3);
            ASSERT_TRUE(batches && !batches->empty());
            EXPECT_EQ(batches->front(), offsets[v]);
            EXPECT_LE(batches->size(), 3U);
        }
        EXPECT_TRUE(written_->batches(*file_, *own, own->last.next(), 3)->empty());
    }
}

TEST_F(IndexFileTest, every_command_is_found_and_no_other) {
    build(500);
    ASSERT_GT(commands_.size(), 100U);
    for (const auto& [hash, offset] : commands_) {
        const auto found = written_->find_commands(*file_, hash);
        ASSERT_TRUE(found);
        EXPECT_NE(std::ranges::find(*found, offset), found->end());
    }
    int maybe = 0;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        const std::uint64_t hash = command_hash(i, "not there");
        maybe += written_->may_contain(hash) ? 1 : 0;
        EXPECT_TRUE(written_->find_commands(*file_, hash)->empty());
    }
    EXPECT_LT(maybe, 300) << "the bloom filter lets through more than 3 %";
}

TEST_F(IndexFileTest, places_lead_to_positions) {
    build(5000);
    for (std::int64_t position = 512; position < 200'000; position += 777) {
        const std::uint64_t offset = written_->offset_before(Position(position));
        EXPECT_LE(offset, static_cast<std::uint64_t>(position));
        EXPECT_LT(static_cast<std::uint64_t>(position) - offset, kPlaceBytes + 100);
    }
}

TEST_F(IndexFileTest, little_of_it_stays_in_memory) {
    build(5000);
    const std::size_t entries = offsets_.size() + commands_.size();
    EXPECT_LT(written_->memory_bytes(), entries * 3 + 4096);
    EXPECT_GT(index_.batches.memory_bytes(), written_->memory_bytes() * 20);
}

TEST_F(IndexFileTest, empty_index_answers) {
    build(0);
    EXPECT_TRUE(written_->find_streams(*file_, 1)->empty());
    EXPECT_TRUE(written_->find_commands(*file_, 1)->empty());
}

TEST_F(IndexFileTest, index_of_another_segment_is_not_believed) {
    build(50);
    EXPECT_TRUE(IndexFile::open(sim_.files(), "/index", kSegment));
    for (const IndexedSegment& other : {IndexedSegment{8, kSegment.bytes, kSegment.hash_seed},
                                        IndexedSegment{kSegment.seed, kSegment.bytes + 1, kSegment.hash_seed},
                                        IndexedSegment{kSegment.seed, kSegment.bytes, 12}})
        EXPECT_EQ(IndexFile::open(sim_.files(), "/index", other).error().code(), ErrorCode::corrupt);
}

}  // namespace
}  // namespace leftfold::log
