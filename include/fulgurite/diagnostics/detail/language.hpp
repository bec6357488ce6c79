// Included first by the headers that a program includes, so that its first error is this one. Compilers of today still
// take an older C++ where nothing is said, and of missing exceptions they would speak in every header anew.
#pragma once

#if __cplusplus < 202002L
#error "fulgurite needs C++20: compile with -std=c++20"
#endif

#if !defined(__cpp_exceptions)
#error "fulgurite needs exceptions: compile without -fno-exceptions"
#endif
