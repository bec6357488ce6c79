// expect: fulgurite needs exceptions: compile without -fno-exceptions
#ifdef MISTAKE
#undef __cpp_exceptions  // what -fno-exceptions does
#endif
#include <fulgurite/fulgurite.hpp>
