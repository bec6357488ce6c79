// The endpoint is played by tests/scripted_server.hpp; botocore's own answers to the same environment and files are
// compared in tests/integration/sigv4_reference.py.
#include <fulgurite/exporter/aws/credentials.hpp>

#include "../../log_capture.hpp"
#include "../../scripted_server.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

using namespace fulgurite::detail;
using fulgurite_test::connection;
using fulgurite_test::log_capture;
using fulgurite_test::refusing_port;
using fulgurite_test::scripted_server;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t noon = 1'700'000'000;

auto soon() { return std::chrono::steady_clock::now() + 10s; }

/// A home directory of its own.
class home {
 public:
  home() {
    path_ = std::filesystem::temp_directory_path() / "fulgurite-test-XXXXXX";
    REQUIRE(mkdtemp(path_.data()) != nullptr);
    std::filesystem::create_directories(path_ + "/.aws");
  }
  ~home() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  home(home const&) = delete;
  home& operator=(home const&) = delete;

  std::string const& path() const { return path_; }
  std::string file(std::string const& name, std::string const& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

aws_credential_sources sources(std::map<std::string, std::string> const& environment) {
  return aws_sources_from([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

aws_credential_answer ask(aws_credential_sources const& from) {
  return aws_credential_provider(from).get(noon, soon());
}

/// An endpoint's answer: credentials that expire so many seconds after noon.
std::string credentials(std::string const& id, std::int64_t expires_after) {
  std::string date = to_basic_utc(noon + expires_after);
  for (const std::size_t at : {4U, 7U}) date.insert(at, "-");
  for (const std::size_t at : {13U, 16U}) date.insert(at, ":");
  return R"({"RoleArn":"arn","AccessKeyId":")" + id + R"(","SecretAccessKey":"s\/1","Token":"t","Expiration":")" +
         date + "\"}";
}
scripted_server::handler answers(std::string const& status, std::string const& body, std::string* asked = nullptr) {
  return [=](connection& with) {
    const auto request = with.read_request();
    if (asked) *asked = request.head;
    with.answer(status, body);
  };
}
aws_credential_sources at(std::string const& url) {
  aws_credential_sources from;
  from.container_url = url;
  return from;
}

}  // namespace

TEST_CASE("what the environment says") {
  const auto from = sources({{"HOME", "/h"},
                             {"AWS_ACCESS_KEY_ID", "id"},
                             {"AWS_SECRET_ACCESS_KEY", "secret"},
                             {"AWS_SESSION_TOKEN", "token"},
                             {"AWS_SHARED_CREDENTIALS_FILE", "~/mine"},
                             {"AWS_PROFILE", "p"},
                             {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/1?a"},
                             {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x"},
                             {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "t"},
                             {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/f"}});
  CHECK(from.given == aws_credentials{"id", "secret", "token"});
  CHECK(from.credentials_file == "/h/mine");
  CHECK(from.config_file == "/h/.aws/config");
  CHECK(from.profile == "p");
  CHECK(from.container_url == "http://169.254.170.2/v2/1?a");
  CHECK(from.container_token == "t");
  CHECK(from.container_token_file == "/f");
  const auto nothing = sources({{"AWS_CONFIG_FILE", ""}, {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x"}});
  CHECK(nothing.credentials_file.empty());
  CHECK(nothing.config_file.empty());
  CHECK(nothing.container_url == "http://localhost/x");
  CHECK(ask({}).problem.find("there are no AWS credentials") == 0);
}

TEST_CASE("the environment comes first, and must have both") {
  const home at;
  at.file(".aws/credentials", "[default]\naws_access_key_id=f\naws_secret_access_key=s");
  auto from = sources({{"HOME", at.path()}, {"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "very-secret"}});
  CHECK(ask(from).credentials == aws_credentials{"id", "very-secret", ""});
  from.given.access_key_id.clear();
  CHECK(ask(from).credentials == aws_credentials{"f", "s", ""});
  from.given = {"id", "", "very-secret"};
  const auto half = ask(from);
  CHECK(half.credentials.empty());
  CHECK(half.problem == "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
}

TEST_CASE("the files") {
  const home at;
  at.file(".aws/credentials",
          "[default]\naws_access_key_id=f\naws_secret_access_key=s\naws_session_token=t\n"
          "[half]\naws_access_key_id=hidden\n[later]\naws_secret_access_key=passed over\n");
  at.file(".aws/config",
          "[default]\nregion=x\naws_access_key_id=c\naws_secret_access_key=c\n[profile other]\naws_access_key_id = o\n"
          "aws_secret_access_key = p\n[profile role]\nrole_arn=a\n[profile empty]\nregion=x\n"
          "[profile later]\naws_access_key_id=l\naws_secret_access_key=m\n");
  CHECK(ask(sources({{"HOME", at.path()}})).credentials == aws_credentials{"f", "s", "t"});
  const auto with = [&](const char* profile) { return ask(sources({{"HOME", at.path()}, {"AWS_PROFILE", profile}})); };
  CHECK(with("other").credentials == aws_credentials{"o", "p", ""});
  CHECK(with("role").problem == "the AWS profile \"role\" gets its credentials by role_arn, which is not supported");
  CHECK(with("half").problem == "the AWS profile \"half\" has an aws_access_key_id and no aws_secret_access_key");
  CHECK(with("later").credentials == aws_credentials{"l", "m", ""});
  CHECK(with("empty").problem == "the AWS profile \"empty\" has no aws_access_key_id");
  CHECK(with("none").problem == "the AWS profile \"none\" is in no file that could be read");
  CHECK(ask(sources({{"HOME", "/nowhere"}})).problem.find("there are no AWS credentials") == 0);
}

TEST_CASE("a file is read again, and the last good credentials stay") {
  const home at;
  const log_capture log;
  const auto write = [&](const char* id) {
    at.file(".aws/credentials", std::string("[default]\naws_access_key_id=") + id + "\naws_secret_access_key=s");
  };
  write("1");
  aws_credential_provider provider(sources({{"HOME", at.path()}}));
  const auto id = [&](std::int64_t after) { return provider.get(noon + after, soon()).credentials.access_key_id; };
  CHECK(id(0) == "1");
  write("2");
  CHECK(id(299) == "1");
  CHECK(id(300) == "2");
  std::filesystem::remove(at.path() + "/.aws/credentials");
  CHECK(id(700) == "2");
  CHECK(log.has("could not be renewed"));
  write("3");
  CHECK(id(705) == "2");  // not within 10 s of the last try
  CHECK(id(710) == "3");
  // Refused by the service: looked for at once, but not within a minute.
  write("4");
  CHECK_FALSE(provider.distrust(noon + 769));
  CHECK(provider.distrust(noon + 770));
  CHECK(id(770) == "4");
}

TEST_CASE("a file that is none") {
  const home at;
  CHECK_FALSE(read_small_file(""));
  CHECK_FALSE(read_small_file(at.path()));
  CHECK_FALSE(read_small_file(at.path() + "/none"));
  const std::string pipe = at.path() + "/pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(read_small_file(pipe));
  CHECK(read_small_file(at.file("empty", "")) == "");
  CHECK(read_small_file(at.file("full", std::string(1024 * 1024, 'x'))) == std::string(1024 * 1024, 'x'));
  CHECK_FALSE(read_small_file(at.file("larger", std::string(1024 * 1024 + 1, 'x'))));
}

TEST_CASE("who may be asked for credentials") {
  const auto may = [](const char* url) {
    http_endpoint to;
    REQUIRE(parse_endpoint(url, to).empty());
    return is_credentials_host(to);
  };
  for (const char* good : {"https://example.org/x", "http://localhost:1/", "http://127.0.0.1/", "http://127.9.8.7:80/",
                           "http://[::1]:1/", "http://169.254.170.2/v2", "http://169.254.170.23/v1",
                           "http://[fd00:ec2::23]/v1", "http://[FD00:EC2:0::23]/v1"}) {
    CAPTURE(good);
    CHECK(may(good));
  }
  for (const char* bad : {"http://example.org/x", "http://128.0.0.1/", "http://169.254.170.3/", "http://[::2]/",
                          "http://127.0.0.1.example.org/", "http://localhost.example.org/", "http://10.0.0.1/"}) {
    CAPTURE(bad);
    CHECK_FALSE(may(bad));
    CHECK(ask(at(bad)).problem == "the address of the container's credentials is plain http to another machine");
  }
}

TEST_CASE("a container's endpoint") {
  std::string asked;
  const scripted_server server({answers("200 OK", credentials("C1", 3600), &asked)});
  auto from = at(server.url("/role?x=1"));
  from.container_token = "Basic abc";
  CHECK(ask(from).credentials == aws_credentials{"C1", "s/1", "t"});
  CHECK(asked.starts_with("GET /role?x=1 HTTP/1.1\r\n"));
  CHECK(asked.find("Authorization: Basic abc\r\n") != std::string::npos);
  const home place;
  from.container_token_file = place.file("token", "from-file\n");
  CHECK_FALSE(ask(from).credentials.empty());
  CHECK(asked.find("Authorization: from-file\r\n") != std::string::npos);
  from.container_token_file = place.file("token", "a\r\nX: b");
  CHECK(ask(from).problem.find("a character no header may") != std::string::npos);
  from.container_token_file = "/nowhere";
  CHECK(ask(from).problem == "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE could not be read");
}

TEST_CASE("container credentials are renewed five minutes before they expire, and used until then") {
  const log_capture log;
  std::vector<scripted_server::handler> handlers{
      answers("200 OK", credentials("C1", 3600)), answers("500 Not now", "{\"message\":\"hidden\"}"),
      answers("200 OK", credentials("C2", 7200)), answers("500 Not now", "")};
  const scripted_server server(std::move(handlers));
  aws_credential_provider provider(at(server.url("/hidden-path")));
  const auto get = [&](std::int64_t after) { return provider.get(noon + after, soon()); };
  CHECK(get(0).credentials.access_key_id == "C1");
  CHECK(get(3299).credentials.access_key_id == "C1");
  CHECK(server.connections() == 1);
  CHECK(get(3300).credentials.access_key_id == "C1");  // refused
  CHECK(server.connections() == 2);
  CHECK(log.has("answered HTTP 500"));
  CHECK(get(3305).credentials.access_key_id == "C1");  // and not asked again at once
  CHECK(server.connections() == 2);
  CHECK(get(3310).credentials.access_key_id == "C2");
  CHECK(get(7199).credentials.access_key_id == "C2");
  const auto expired = get(7200);
  CHECK(expired.credentials.empty());
  CHECK(expired.problem.find("have expired and could not be renewed: http://127.0.0.1:") != std::string::npos);
  for (std::string const& text : {log.text(), expired.problem}) {
    CHECK(text.find("hidden") == std::string::npos);
    CHECK(text.find("s/1") == std::string::npos);
  }
}

TEST_CASE("what an endpoint may answer wrongly") {
  const std::string id = R"("AccessKeyId":"a","SecretAccessKey":"hidden")";
  for (auto const& [status, body, what] : std::vector<std::tuple<const char*, std::string, const char*>>{
           {"200 OK", "<html>", "that is not JSON"},
           {"200 OK", R"({"AccessKeyId":"a"})", "without AccessKeyId or SecretAccessKey"},
           {"200 OK", "{" + id + R"(,"Expiration":"tomorrow"})", "an Expiration that is no date"},
           {"200 OK", "{" + id + R"(,"Expiration":"2001-01-01T00:00:00Z"})", "credentials that have expired"},
           {"302 Found", "", "HTTP 302"},
           {"404 None", "{" + id + "}", "HTTP 404"}}) {
    CAPTURE(body);
    const scripted_server server({answers(status, body)});
    const auto answer = ask(at(server.url()));
    CHECK(answer.credentials.empty());
    CHECK(answer.problem.find(what) != std::string::npos);
    CHECK(answer.problem.find("hidden") == std::string::npos);
  }
  const scripted_server without_end({answers("200 OK", "{" + id + "}")});
  CHECK(ask(at(without_end.url())).credentials.access_key_id == "a");
  CHECK(ask(at("ftp://x")).problem.find("is not valid") != std::string::npos);
  const refusing_port nobody;
  CHECK(ask(at(nobody.url())).problem.find("connection refused") != std::string::npos);
}

TEST_CASE("a silent endpoint is given up at the deadline, or when one says so") {
  const scripted_server server({[](connection& with) { with.wait_for_end(); }});
  aws_credential_provider provider(at(server.url()));
  CHECK(provider.get(noon, std::chrono::steady_clock::now() + 50ms).problem.find("time limit") != std::string::npos);
  std::thread other([&] {
    while (server.connections() < 2) std::this_thread::sleep_for(1ms);
    provider.interrupt();
  });
  CHECK(provider.get(noon, std::chrono::steady_clock::now() + 60s).problem.find("given up") != std::string::npos);
  other.join();
}

TEST_CASE("who asks while another waits for an endpoint waits no longer than it wants to") {
  const scripted_server server({[](connection& with) { with.wait_for_end(); }});
  aws_credential_provider provider(at(server.url()));
  std::thread other([&] { provider.get(noon, std::chrono::steady_clock::now() + 60s); });
  while (server.connections() < 1) std::this_thread::sleep_for(1ms);
  const aws_credential_answer answer = provider.get(noon, std::chrono::steady_clock::now() + 10ms);
  CHECK(answer.problem.find("have not come yet") != std::string::npos);
  provider.interrupt();
  other.join();
}
