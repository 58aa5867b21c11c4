#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leftfold/env/real_env.hpp"

#include "file_system_conformance.hpp"
#include "temporary_folder.hpp"

namespace leftfold {

class RealFilesInTemporaryFolder {
  public:
    FileSystem& files() { return *files_; }
    std::string folder() const { return folder_.path(); }

  private:
    TemporaryFolder folder_;
    std::unique_ptr<FileSystem> files_ = make_real_file_system();
};
INSTANTIATE_TYPED_TEST_SUITE_P(Real, FileSystemConformance, RealFilesInTemporaryFolder);

namespace {

TEST(JoinPath, one_slash_between_the_parts) {
    EXPECT_EQ(join_path("a", "b"), "a/b");
    EXPECT_EQ(join_path("a/", "b"), "a/b");
    EXPECT_EQ(join_path("/", "b"), "/b");
    EXPECT_EQ(join_path("", "b"), "b");
}

// Exit codes of the child process below.
constexpr int kPassed = 0;
constexpr int kFailed = 1;
constexpr int kNoSmallDisk = 2;

// Mounts a small file system over `folder`, seen by this process only. False where the system does not allow it.
bool mount_small_disk(const std::string& folder) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=4m") == 0;
}

void allocate_more_than_there_is(RealFilesInTemporaryFolder& world) {
    struct statvfs disk{};
    ASSERT_EQ(::statvfs(world.folder().c_str(), &disk), 0);
    const std::uint64_t free_before = disk.f_bavail * disk.f_frsize;
    const auto file = world.files().open(join_path(world.folder(), "a"), OpenMode::create_new).value();
    ASSERT_TRUE(file->write_at(0, bytes_of("kept")).has_value());
    const auto allocated = file->allocate(2 * free_before);
    ASSERT_FALSE(allocated.has_value());
    EXPECT_EQ(allocated.error().code(), ErrorCode::no_space) << allocated.error().message();
    EXPECT_EQ(file->size().value(), 4U);
    ASSERT_EQ(::statvfs(world.folder().c_str(), &disk), 0);
    EXPECT_GT(disk.f_bavail * disk.f_frsize, free_before / 2);
}

TEST(RealFile, allocation_that_does_not_fit_the_disk_is_no_space_and_leaves_nothing) {
    RealFilesInTemporaryFolder world;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        if (!mount_small_disk(world.folder()))
            ::_exit(kNoSmallDisk);
        allocate_more_than_there_is(world);
        ::_exit(testing::Test::HasFailure() ? kFailed : kPassed);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == kNoSmallDisk && std::getenv("CI") == nullptr)
        GTEST_SKIP() << "this system lets no test mount a small disk";
    EXPECT_EQ(WEXITSTATUS(status), kPassed);
}

TEST(RealFile, write_to_a_full_device_is_no_space) {
    const auto file = make_real_file_system()->open("/dev/full", OpenMode::read_write);
    if (!file && std::getenv("CI") == nullptr)
        GTEST_SKIP() << file.error().message();
    ASSERT_TRUE(file.has_value()) << file.error().message();
    const auto written = (*file)->write_at(0, bytes_of("x"));
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code(), ErrorCode::no_space);
    EXPECT_TRUE(written.error().retryable());
}

TEST(RealFile, write_over_the_size_limit_is_an_error_that_names_file_and_place) {
    RealFilesInTemporaryFolder world;
    const std::string path = join_path(world.folder(), "a");
    const auto file = world.files().open(path, OpenMode::create_new).value();
    rlimit old_limit{};
    ::getrlimit(RLIMIT_FSIZE, &old_limit);
    const rlimit low_limit{10'000, old_limit.rlim_max};
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &low_limit);
    // The first call of the system writes up to the limit only, so this also goes through the loop for the rest.
    const auto written = file->write_at(5'000, bytes_of(std::string(20'000, 'x')));
    ::setrlimit(RLIMIT_FSIZE, &old_limit);
    std::signal(SIGXFSZ, old_handler);
    ASSERT_FALSE(written.has_value());
    EXPECT_NE(written.error().message().find("20000 bytes at offset 5000 of '" + path), std::string::npos)
        << written.error().message();
    EXPECT_EQ(file->size().value(), 10'000U);
}

}  // namespace
}  // namespace leftfold
