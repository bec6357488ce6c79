#include <fulgurite/config/config_error.hpp>

#include <doctest/doctest.h>

#include <string>

namespace fg = fulgurite;

TEST_CASE("config_error lists every problem, one line each") {
  const fg::config_error error(
      {{"TRACER_TYPE", "jeager", "agentops, noop"}, {"AGENTOPS_API_KEY", "********", "any text"}});
  CHECK(std::string(error.what()) ==
        "the tracer's configuration has 2 problems\n"
        "  TRACER_TYPE=\"jeager\": allowed is agentops, noop\n"
        "  AGENTOPS_API_KEY=\"********\": allowed is any text");
  REQUIRE(error.problems().size() == 2);
  CHECK(error.problems()[0] == fg::config_problem{"TRACER_TYPE", "jeager", "agentops, noop"});
  const fg::config_error wild({{"A", "\x1b[2Jb\nc", "d"}});
  CHECK(std::string(wild.what()) == "the tracer's configuration has 1 problem\n  A=\"\\x1b[2Jb\\nc\": allowed is d");
  const fg::config_error one({{"A", "b", "c"}});
  CHECK(std::string(one.what()) == "the tracer's configuration has 1 problem\n  A=\"b\": allowed is c");
}
