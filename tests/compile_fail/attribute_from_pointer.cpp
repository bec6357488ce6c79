// expect: attribute_compatible
#include <fulgurite/record/attribute_value.hpp>

#ifdef MISTAKE
const int* const number = nullptr;  // would become `false`
#else
const int number = 0;
#endif
const fulgurite::attribute_value value{number};
