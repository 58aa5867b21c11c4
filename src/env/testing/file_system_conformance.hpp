// What every FileSystem promises, as a suite of tests: for the real one and for the simulated one alike.
//
//     struct MyWorld {
//         leftfold::FileSystem& files();
//         std::string folder();  // exists, is empty, and is this test's own
//     };
//     INSTANTIATE_TYPED_TEST_SUITE_P(My, FileSystemConformance, MyWorld);
//
// What becomes of bytes that were not synced is not asked here: no real disk can be made to lose them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "leftfold/env/files.hpp"

namespace leftfold {

template <class World>
class FileSystemConformance : public testing::Test {
  protected:
    FileSystem& files() { return world_.files(); }
    std::string path(std::string_view name) { return join_path(world_.folder(), name); }

    std::unique_ptr<File> open(std::string_view name, OpenMode mode) {
        auto file = files().open(path(name), mode);
        EXPECT_TRUE(file.has_value()) << file.error().message();
        return file ? std::move(*file) : nullptr;
    }
    ErrorCode code_of_opening(std::string_view name, OpenMode mode) {
        const auto file = files().open(path(name), mode);
        EXPECT_FALSE(file.has_value()) << name;
        return file ? ErrorCode::io : file.error().code();
    }
    void write(std::string_view name, std::string_view content) {
        const auto file = open(name, OpenMode::create_or_open);
        ASSERT_TRUE(file->truncate(0).has_value());
        ASSERT_TRUE(file->write_at(0, bytes_of(content)).has_value());
    }
    std::string read(std::string_view name) {
        const auto content = read_file(files(), path(name), 1U << 20);
        EXPECT_TRUE(content.has_value()) << content.error().message();
        return content.value_or("unreadable");
    }
    std::string read_from(File& file, std::uint64_t offset, std::size_t size) {
        std::string buffer(size, '?');
        const auto count = file.read_at(offset, std::as_writable_bytes(std::span(buffer)));
        EXPECT_TRUE(count.has_value()) << count.error().message();
        buffer.resize(count.value_or(0));
        return buffer;
    }
    std::vector<std::string> names(const std::string& folder) {
        std::vector<std::string> found;
        const auto entries = files().list(folder);
        EXPECT_TRUE(entries.has_value()) << entries.error().message();
        for (const DirectoryEntry& entry : entries.value_or(std::vector<DirectoryEntry>{}))
            found.push_back(entry.name + (entry.is_directory ? "/" : ""));
        return found;
    }

    World world_;
};

TYPED_TEST_SUITE_P(FileSystemConformance);

TYPED_TEST_P(FileSystemConformance, open_modes_ask_for_what_they_say) {
    EXPECT_EQ(this->code_of_opening("a", OpenMode::read), ErrorCode::not_found);
    EXPECT_EQ(this->code_of_opening("a", OpenMode::read_write), ErrorCode::not_found);
    EXPECT_NE(this->open("a", OpenMode::create_new), nullptr);
    EXPECT_EQ(this->code_of_opening("a", OpenMode::create_new), ErrorCode::already_exists);
    EXPECT_NE(this->open("a", OpenMode::read), nullptr);
    EXPECT_NE(this->open("a", OpenMode::read_write), nullptr);
    EXPECT_NE(this->open("a", OpenMode::create_or_open), nullptr);
    EXPECT_NE(this->open("b", OpenMode::create_or_open), nullptr);
    EXPECT_EQ(this->code_of_opening("missing/a", OpenMode::create_new), ErrorCode::not_found);
}

TYPED_TEST_P(FileSystemConformance, opening_keeps_the_content) {
    this->write("a", "content");
    EXPECT_EQ(this->open("a", OpenMode::create_or_open)->size().value(), 7U);
    EXPECT_EQ(this->open("a", OpenMode::read_write)->size().value(), 7U);
    EXPECT_EQ(this->read("a"), "content");
}

TYPED_TEST_P(FileSystemConformance, folder_is_not_opened_as_a_file) {
    ASSERT_TRUE(this->files().create_directories(this->path("folder")).has_value());
    EXPECT_FALSE(this->files().open(this->path("folder"), OpenMode::read).has_value());
    EXPECT_FALSE(this->files().open(this->path("folder"), OpenMode::create_or_open).has_value());
}

TYPED_TEST_P(FileSystemConformance, file_opened_to_read_refuses_writes) {
    this->write("a", "content");
    const auto file = this->open("a", OpenMode::read);
    EXPECT_FALSE(file->write_at(0, bytes_of("X")).has_value());
    EXPECT_FALSE(file->truncate(0).has_value());
    EXPECT_EQ(this->read("a"), "content");
}

TYPED_TEST_P(FileSystemConformance, bytes_are_read_where_they_were_written) {
    const auto file = this->open("a", OpenMode::create_new);
    ASSERT_TRUE(file->write_at(0, bytes_of("0123456789")).has_value());
    ASSERT_TRUE(file->write_at(3, bytes_of("abc")).has_value());
    ASSERT_TRUE(file->write_at(10, {}).has_value());
    EXPECT_EQ(this->read_from(*file, 0, 10), "012abc6789");
    EXPECT_EQ(this->read_from(*file, 2, 3), "2ab");
    EXPECT_EQ(file->size().value(), 10U);
}

TYPED_TEST_P(FileSystemConformance, reads_are_short_only_at_the_end) {
    this->write("a", "0123456789");
    const auto file = this->open("a", OpenMode::read);
    EXPECT_EQ(this->read_from(*file, 8, 5), "89");
    EXPECT_EQ(this->read_from(*file, 10, 5), "");
    EXPECT_EQ(this->read_from(*file, 1'000, 5), "");
    EXPECT_EQ(this->read_from(*file, 0, 0), "");
}

TYPED_TEST_P(FileSystemConformance, gap_before_a_write_reads_as_zero) {
    const auto file = this->open("a", OpenMode::create_new);
    ASSERT_TRUE(file->write_at(10'000, bytes_of("end")).has_value());
    EXPECT_EQ(file->size().value(), 10'003U);
    EXPECT_EQ(this->read_from(*file, 0, 20'000), std::string(10'000, '\0') + "end");
}

TYPED_TEST_P(FileSystemConformance, large_write_is_whole) {
    std::string content(3'000'000, '\0');
    for (std::size_t index = 0; index < content.size(); ++index)
        content[index] = static_cast<char>(index * 2654435761U >> 13);
    const auto file = this->open("a", OpenMode::create_new);
    ASSERT_TRUE(file->write_at(4'097, bytes_of(content)).has_value());
    ASSERT_TRUE(file->sync_data().has_value());
    ASSERT_TRUE(file->drop_cache().has_value());
    EXPECT_TRUE(this->read_from(*file, 4'097, content.size()) == content);
}

TYPED_TEST_P(FileSystemConformance, allocate_extends_with_zeros_and_keeps_what_is_there) {
    const auto file = this->open("a", OpenMode::create_new);
    ASSERT_TRUE(file->write_at(0, bytes_of("abc")).has_value());
    ASSERT_TRUE(file->allocate(0).has_value());
    EXPECT_EQ(file->size().value(), 3U);
    ASSERT_TRUE(file->allocate(8'192).has_value());
    EXPECT_EQ(file->size().value(), 8'192U);
    EXPECT_EQ(this->read_from(*file, 0, 8'192), "abc" + std::string(8'189, '\0'));
    ASSERT_TRUE(file->allocate(10).has_value());
    EXPECT_EQ(file->size().value(), 8'192U);
}

TYPED_TEST_P(FileSystemConformance, truncate_cuts_and_extends_with_zeros) {
    this->write("a", "0123456789");
    const auto file = this->open("a", OpenMode::read_write);
    ASSERT_TRUE(file->truncate(4).has_value());
    EXPECT_EQ(this->read_from(*file, 0, 100), "0123");
    ASSERT_TRUE(file->truncate(6).has_value());
    EXPECT_EQ(this->read_from(*file, 0, 100), std::string("0123\0\0", 6));
    EXPECT_EQ(file->size().value(), 6U);
}

TYPED_TEST_P(FileSystemConformance, two_openings_see_one_file) {
    const auto writer = this->open("a", OpenMode::create_new);
    const auto reader = this->open("a", OpenMode::read);
    ASSERT_TRUE(writer->write_at(0, bytes_of("shared")).has_value());
    EXPECT_EQ(this->read_from(*reader, 0, 100), "shared");
}

TYPED_TEST_P(FileSystemConformance, folders_are_created_with_their_parents_and_listed_by_name) {
    ASSERT_TRUE(this->files().create_directories(this->path("x/y/z")).has_value());
    ASSERT_TRUE(this->files().create_directories(this->path("x/y/z")).has_value());
    for (const char* name : {"x/c", "x/a", "x/b10", "x/b9"})
        this->write(name, "");
    EXPECT_EQ(this->names(this->path("x")), (std::vector<std::string>{"a", "b10", "b9", "c", "y/"}));
    EXPECT_EQ(this->names(this->path("x/y/z")), std::vector<std::string>{});
    const auto missing = this->files().list(this->path("missing"));
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
    EXPECT_FALSE(this->files().create_directories(this->path("x/a/below-a-file")).has_value());
}

TYPED_TEST_P(FileSystemConformance, exists_tells_files_and_folders) {
    ASSERT_TRUE(this->files().create_directories(this->path("folder")).has_value());
    this->write("file", "");
    EXPECT_TRUE(this->files().exists(this->path("folder")).value());
    EXPECT_TRUE(this->files().exists(this->path("file")).value());
    EXPECT_FALSE(this->files().exists(this->path("nothing")).value());
    EXPECT_FALSE(this->files().exists(this->path("nothing/below")).value());
    EXPECT_FALSE(this->files().exists(this->path("file/below")).value());
}

TYPED_TEST_P(FileSystemConformance, rename_replaces_and_open_files_live_on) {
    this->write("old", "first");
    this->write("new", "second");
    const auto replaced = this->open("old", OpenMode::read);
    ASSERT_TRUE(this->files().rename(this->path("new"), this->path("old")).has_value());
    EXPECT_EQ(this->read("old"), "second");
    EXPECT_FALSE(this->files().exists(this->path("new")).value());
    EXPECT_EQ(this->read_from(*replaced, 0, 100), "first");
    const auto missing = this->files().rename(this->path("new"), this->path("old"));
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
}

TYPED_TEST_P(FileSystemConformance, removed_name_is_free_and_open_files_live_on) {
    this->write("a", "content");
    const auto open = this->open("a", OpenMode::read);
    ASSERT_TRUE(this->files().remove(this->path("a")).has_value());
    EXPECT_FALSE(this->files().exists(this->path("a")).value());
    EXPECT_EQ(this->read_from(*open, 0, 100), "content");
    EXPECT_NE(this->open("a", OpenMode::create_new), nullptr);
    EXPECT_EQ(this->read("a"), "");
    const auto missing = this->files().remove(this->path("b"));
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
}

TYPED_TEST_P(FileSystemConformance, directories_can_be_synced) {
    EXPECT_TRUE(this->files().sync_directory(this->world_.folder()).has_value());
    const auto missing = this->files().sync_directory(this->path("missing"));
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code(), ErrorCode::not_found);
}

TYPED_TEST_P(FileSystemConformance, lock_is_held_by_one_and_free_after_it) {
    auto first = this->files().lock(this->path("lock"));
    ASSERT_TRUE(first.has_value()) << first.error().message();
    EXPECT_TRUE(this->files().exists(this->path("lock")).value());
    const auto second = this->files().lock(this->path("lock"));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code(), ErrorCode::unavailable);
    EXPECT_TRUE(this->files().lock(this->path("other")).has_value());
    first->reset();
    EXPECT_TRUE(this->files().lock(this->path("lock")).has_value());
}

TYPED_TEST_P(FileSystemConformance, read_file_refuses_more_than_allowed) {
    this->write("a", "12345");
    EXPECT_EQ(read_file(this->files(), this->path("a"), 5).value(), "12345");
    const auto too_large = read_file(this->files(), this->path("a"), 4);
    ASSERT_FALSE(too_large.has_value());
    EXPECT_EQ(too_large.error().code(), ErrorCode::too_large);
}

TYPED_TEST_P(FileSystemConformance, replace_file_creates_replaces_and_leaves_nothing_else) {
    ASSERT_TRUE(replace_file(this->files(), this->path("a"), "a longer first content").has_value());
    EXPECT_EQ(this->read("a"), "a longer first content");
    // What a crash may have left behind.
    this->write("a.tmp", "the rest of an earlier attempt, longer than what comes now");
    ASSERT_TRUE(replace_file(this->files(), this->path("a"), "second").has_value());
    EXPECT_EQ(this->read("a"), "second");
    EXPECT_EQ(this->names(this->world_.folder()), std::vector<std::string>{"a"});
    EXPECT_FALSE(replace_file(this->files(), this->path("missing/a"), "x").has_value());
}

REGISTER_TYPED_TEST_SUITE_P(FileSystemConformance, open_modes_ask_for_what_they_say, opening_keeps_the_content,
                            folder_is_not_opened_as_a_file, file_opened_to_read_refuses_writes,
                            bytes_are_read_where_they_were_written, reads_are_short_only_at_the_end,
                            gap_before_a_write_reads_as_zero, large_write_is_whole,
                            allocate_extends_with_zeros_and_keeps_what_is_there, truncate_cuts_and_extends_with_zeros,
                            two_openings_see_one_file, folders_are_created_with_their_parents_and_listed_by_name,
                            exists_tells_files_and_folders, rename_replaces_and_open_files_live_on,
                            removed_name_is_free_and_open_files_live_on, directories_can_be_synced,
                            lock_is_held_by_one_and_free_after_it, read_file_refuses_more_than_allowed,
                            replace_file_creates_replaces_and_leaves_nothing_else);

}  // namespace leftfold
