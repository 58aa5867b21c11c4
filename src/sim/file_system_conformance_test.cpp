#include "file_system_conformance.hpp"

#include "leftfold/sim/files.hpp"

namespace leftfold {
namespace {

class SimWorld {
  public:
    SimWorld() { EXPECT_TRUE(files_.create_directories(folder()).has_value()); }

    FileSystem& files() { return files_; }
    static std::string folder() { return "/data"; }

  private:
    sim::Trace trace_;
    sim::SimFileSystem files_{sim::SimRandom(1), trace_};
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sim, FileSystemConformance, SimWorld);

}  // namespace
}  // namespace leftfold
