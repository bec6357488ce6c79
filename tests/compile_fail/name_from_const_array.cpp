// expect[g++]: is not usable in a constant expression
// expect[clang++]: is not a constant expression
#include <fulgurite/record/literal_name.hpp>

#ifdef MISTAKE
static const char name[] = "checkout";
#else
static constexpr char name[] = "checkout";
#endif

bool is_literal() { return fulgurite::span_name(name).is_literal(); }
