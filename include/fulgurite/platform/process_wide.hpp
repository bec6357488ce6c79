// One of a thing in a process, however many of its objects (program, libraries, plugins) hold a copy of this library.
//
// An inline variable is one only where the linker can see all of its copies: a plugin with hidden visibility, or one
// below a program that exports nothing, has its own. So each object carries an ELF note that names a function, and the
// objects find each other by walking the notes of all that are loaded. Objects with another version of the library, or
// for which its types look otherwise, do not take part: they have an engine of their own.
//
// An object that takes part is never unmapped: the rings and queues hold addresses of its literals, and the engine's
// thread may run its code. `dlclose` then has no effect on it, as it has none on most objects that g++ makes.
#pragma once

#include <fulgurite/platform/version.hpp>

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fulgurite {
inline namespace v1 {

namespace detail {

enum class process_part : std::uint8_t { log, threads, end, engine, global_tracers, tracer_registry, count };

struct process_wide {
  std::uint64_t layout = 0;
  pthread_mutex_t making = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
  std::atomic<void*> parts[static_cast<std::size_t>(process_part::count)] = {};
};

/// Differs where objects do not agree on the library's version or on the standard library's types.
constexpr std::uint64_t layout_of_this_object() noexcept {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 1'099'511'628'211U; };
  for (const char* c = library_version; *c; ++c) mix(static_cast<unsigned char>(*c));
  for (const std::size_t size :
       {static_cast<std::size_t>(process_part::count), sizeof(std::string), sizeof(std::vector<int>),
        sizeof(std::function<void()>), sizeof(std::shared_ptr<int>), sizeof(pthread_mutex_t)})
    mix(size);
#ifdef _GLIBCXX_USE_CXX11_ABI
  mix(_GLIBCXX_USE_CXX11_ABI);
#endif
#ifdef _LIBCPP_VERSION
  mix(_LIBCPP_VERSION);
#endif
  return hash;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite

/// This object's place for the address of what the process shares, and the function that the note names.
[[gnu::visibility(
    "hidden")]] inline constinit std::atomic<fulgurite::v1::detail::process_wide*> fulgurite_v1_slot_of_object{nullptr};
// Weak and not inline: nothing but the note refers to it.
extern "C" [[gnu::visibility("hidden"), gnu::used, gnu::weak]] std::atomic<fulgurite::v1::detail::process_wide*>*
fulgurite_v1_process_slot() {  // NOLINT(misc-definitions-in-headers)
  return &fulgurite_v1_slot_of_object;
}

// Owner "fulgurite", type 1; the descriptor is the distance to the function. Once an object: a COMDAT group.
asm(R"(
 .pushsection .note.fulgurite,"aG",@note,fulgurite_v1_note,comdat
 .balign 4
 .long 10
 .long 8
 .long 1
 .asciz "fulgurite"
 .balign 4
 .long fulgurite_v1_process_slot - .
 .long 0
 .popsection
)");

#pragma weak dladdr
#pragma weak dlopen

namespace fulgurite {
inline namespace v1 {
namespace detail {

using process_slot = std::atomic<process_wide*>;

/// Calls `visit(process_slot&)` for each object with a note, in the order in which they were loaded, until it returns
/// true. Under the loader's lock.
template <class Visit>
void for_each_process_slot(Visit visit) {
  const auto look_into = [](dl_phdr_info* object, std::size_t, void* given) -> int {
    for (std::size_t k = 0; k < object->dlpi_phnum; ++k) {
      auto const& segment = object->dlpi_phdr[k];
      if (segment.p_type != PT_NOTE) continue;
      const char* at = reinterpret_cast<const char*>(object->dlpi_addr + segment.p_vaddr);
      const char* const end = at + segment.p_memsz;
      const std::size_t align = segment.p_align == 8 ? 8 : 4;
      const auto rounded = [align](std::size_t size) { return (size + align - 1) & ~(align - 1); };
      while (static_cast<std::size_t>(end - at) >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) head;
        std::memcpy(&head, at, sizeof head);
        const char* const name = at + sizeof head;
        const std::size_t to_text = rounded(head.n_namesz), whole = to_text + rounded(head.n_descsz);
        if (static_cast<std::size_t>(end - name) < whole) break;
        if (head.n_type == 1 && head.n_namesz == 10 && head.n_descsz == 8 && std::memcmp(name, "fulgurite", 10) == 0) {
          std::int32_t distance = 0;
          std::memcpy(&distance, name + to_text, sizeof distance);
          const auto function = reinterpret_cast<process_slot* (*)()>(const_cast<char*>(name + to_text) +
                                                                      distance);  // an address in that object
          if ((*static_cast<Visit*>(given))(*function())) return 1;
        }
        at = name + whole;
      }
    }
    return 0;
  };
  dl_iterate_phdr(look_into, &visit);
}

/// Keeps the object that this code is in mapped for good. Nothing to do for the program itself, and in a program that
/// is linked statically, where there is no dlopen.
[[gnu::noinline]] inline void keep_this_object(const void* address_in_it) noexcept {
  Dl_info where{};
  if (!dladdr || !dlopen || dladdr(address_in_it, &where) == 0 || !where.dli_fname) return;
  dlopen(where.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

[[gnu::noinline, gnu::cold]] inline process_wide& find_process_wide(process_slot& own) {
  constexpr std::uint64_t layout = layout_of_this_object();
  struct search {
    process_slot* own;
    process_wide* found = nullptr;
  } all{&own};
  // Two objects that begin at once are kept apart by the loader's lock, which is recursive: the search and the making
  // happen below one walk.
  dl_iterate_phdr(
      [](dl_phdr_info*, std::size_t, void* given) -> int {
        auto& to = *static_cast<search*>(given);
        for_each_process_slot([&to](process_slot& slot) {
          process_wide* const there = slot.load(std::memory_order_acquire);
          if (there && there->layout == layout) to.found = there;
          return to.found != nullptr;
        });
        if (!to.found) {
          to.found = new process_wide;  // for ever
          to.found->layout = layout;
        }
        to.own->store(to.found, std::memory_order_release);
        return 1;
      },
      &all);
  keep_this_object(&own);
  return *all.found;
}

inline process_wide& the_process_wide() {
  process_slot& own = *fulgurite_v1_process_slot();
  process_wide* const known = own.load(std::memory_order_acquire);
  return known ? *known : find_process_wide(own);
}

/// The process's one T, made by the object that asks first and never destroyed. Where the type is the same but the part
/// is not, there are two.
template <class T, process_part Part>
struct one_of_process {
  // Not a static variable of a function: a fork in the middle of its initialization leaves the child one that it would
  // wait for without end.
  static constinit inline std::atomic<T*> known{nullptr};  // the address is looked up once an object

  [[gnu::noinline, gnu::cold]] static T& find() {
    process_wide& shared = the_process_wide();
    std::atomic<void*>& part = shared.parts[static_cast<std::size_t>(Part)];
    pthread_mutex_lock(&shared.making);  // held across a fork: engine/engine.hpp
    void* made = part.load(std::memory_order_acquire);
    if (!made) {
      try {
        made = new T;
      } catch (...) {
        pthread_mutex_unlock(&shared.making);
        throw;
      }
      part.store(made, std::memory_order_release);
    }
    pthread_mutex_unlock(&shared.making);
    known.store(static_cast<T*>(made), std::memory_order_release);
    return *static_cast<T*>(made);
  }
};
template <class T, process_part Part>
T& one_in_process() {
  T* const known = one_of_process<T, Part>::known.load(std::memory_order_acquire);
  return known ? *known : one_of_process<T, Part>::find();
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
