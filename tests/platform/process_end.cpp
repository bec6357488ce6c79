#include <fulgurite/platform/process_end.hpp>

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <thread>

namespace fd = fulgurite::detail;

namespace {

/// Runs `f` in a child process; its exit status.
template <class F>
int in_process(F&& f) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    _exit(f());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int listed(bool ending) {
  int count = 0;
  fd::for_each_library_thread([&](pid_t, bool ends) { count += ends == ending ? 1 : 0; });
  return count;
}

}  // namespace

TEST_CASE("a thread of the library is listed while it lives, and its place is used again") {
  CHECK(in_process([] {
          fd::forget_library_threads();
          for (int round = 0; round < 100; ++round) {
            std::atomic<int> step{0};
            std::thread thread([&] {
              const fd::library_thread_mark mark;
              step = 1;
              while (step != 2) std::this_thread::yield();
            });
            while (step != 1) std::this_thread::yield();
            if (listed(false) != 1) return 1;
            step = 2;
            thread.join();
            if (listed(false) != 0) return 2;
            // The kernel may take a moment to forget a thread that was joined.
            while (listed(true) != 0) std::this_thread::yield();
          }
          int places = 0;
          for (auto* each = fd::process_end::instance().threads.load(); each; each = each->next) ++places;
          return places <= 3 ? 0 : 3;
        }) == 0);
}

TEST_CASE("once the process has delivered, a thread of the library stops in an exporter and another is refused") {
  CHECK(in_process([] {
          fd::process_end& end = fd::process_end::instance();
          {
            const fd::exporter_call call;
            if (call.is_refused() || end.inside != 1) return 1;
          }
          if (end.inside != 0) return 2;
          std::atomic<bool> is_inside{false}, came_out{false};
          std::thread([&] {
            const fd::library_thread_mark mark;
            {
              const fd::exporter_call call;
              is_inside = true;
              while (!end.parks) std::this_thread::yield();
            }
            came_out = true;
          }).detach();
          while (!is_inside) std::this_thread::yield();
          end.parks = true;
          while (end.inside != 0) std::this_thread::yield();
          std::thread([&] {
            const fd::library_thread_mark mark;
            const fd::exporter_call call;
            came_out = true;
          }).detach();
          usleep(20'000);
          const fd::exporter_call call;
          return call.is_refused() && !came_out && end.inside == 1 ? 0 : 3;
        }) == 0);
}

TEST_CASE("the child of a fork has no library threads, and is inside an exporter as often as its thread is") {
  CHECK(in_process([] {
          std::atomic<bool> is_inside{false};
          std::thread([&] {
            const fd::library_thread_mark mark;
            const fd::exporter_call call;
            is_inside = true;
            pause();
          }).detach();
          while (!is_inside) std::this_thread::yield();
          const fd::exporter_call here;
          return in_process([] {
            fd::forget_library_threads();
            return listed(true) + listed(false) == 0 && fd::process_end::instance().inside == 1 ? 0 : 1;
          });
        }) == 0);
}
