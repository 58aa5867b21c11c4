// What durability costs without anything around it: write BYTES behind each other into a file whose space was reserved
// as the log does, and fdatasync after each.
//
//   bench_sync FILE BYTES COUNT     prints latencies as JSON; removes the file

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "statistics.hpp"

namespace {

constexpr off_t kAllocateBytes = 4 * 1024 * 1024;  // log::kAllocateBytes

int failed(const char* what) {
    std::perror(what);
    return 1;
}

int run(const char* path, std::size_t bytes, std::size_t count) {
    const int fd = ::open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(path);
    ::unlink(path);
    const std::string block(bytes, 'x');
    std::vector<double> took;
    took.reserve(count);
    off_t allocated = 0;
    off_t offset = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        if (offset + static_cast<off_t>(bytes) > allocated) {
            allocated += kAllocateBytes;
            if (::fallocate(fd, 0, 0, allocated) != 0)
                return failed("fallocate");
        }
        if (::pwrite(fd, block.data(), bytes, offset) != static_cast<ssize_t>(bytes) || ::fdatasync(fd) != 0)
            return failed("pwrite, fdatasync");
        offset += static_cast<off_t>(bytes);
        const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - begun;
        took.push_back(passed.count());
    }
    ::close(fd);
    leftfold::bench::print_latencies(took);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: bench_sync FILE BYTES COUNT\n");
        return 2;
    }
    return run(argv[1], std::strtoul(argv[2], nullptr, 10), std::strtoul(argv[3], nullptr, 10));
}
