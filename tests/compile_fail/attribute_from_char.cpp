// expect: attribute_compatible
#include <fulgurite/record/attribute_value.hpp>

#ifdef MISTAKE
constexpr char letter = 'c';  // would become the number 99
#else
constexpr const char* letter = "c";
#endif
const fulgurite::attribute_value value{letter};
