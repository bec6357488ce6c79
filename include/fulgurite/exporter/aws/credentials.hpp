// Where a program's AWS credentials come from, and how they stay fresh: the environment, the files that AWS's command
// line shares (exporter/aws/profile.hpp), or the credentials endpoint of a container (ECS, EKS Pod Identity).
//
// Order and names are those of the AWS SDKs and Tools Reference Guide. Not here: roles to assume, single sign-on, web
// identities, credential processes, and the metadata service of EC2; a profile that needs one of these is said to.
// Credentials are in no message, and neither is what an endpoint answered.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/aws/profile.hpp>
#include <fulgurite/exporter/aws/sigv4.hpp>
#include <fulgurite/text/flat_json.hpp>
#include <fulgurite/text/utc_time.hpp>
#include <fulgurite/transport/endpoint.hpp>
#include <fulgurite/transport/http.hpp>

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Where to look, in this order. What is empty is not asked.
struct aws_credential_sources {
  aws_credentials given = {};
  std::string credentials_file = {}, config_file = {};
  /// Empty: `default`, which need not be there.
  std::string profile = {};
  std::string container_url = {}, container_token = {}, container_token_file = {};
};

/// What the environment says; `lookup(name)` gives a variable's text or a null pointer. An empty variable is unset. The
/// files are looked for below `HOME` only.
template <class Lookup>
aws_credential_sources aws_sources_from(Lookup const& lookup) {
  const auto text = [&](const char* name) {
    const char* const value = lookup(name);
    return std::string(value ? value : "");
  };
  const std::string home = text("HOME");
  const auto file = [&](const char* variable, const char* usual) {
    std::string path = text(variable);
    if (path.empty()) return home.empty() ? std::string() : home + usual;
    if (path.starts_with("~/") && !home.empty()) path.replace(0, 1, home);
    return path;
  };
  aws_credential_sources from;
  from.given = {text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"), text("AWS_SESSION_TOKEN")};
  from.credentials_file = file("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
  from.config_file = file("AWS_CONFIG_FILE", "/.aws/config");
  from.profile = text("AWS_PROFILE");
  const std::string relative = text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  from.container_url =
      relative.empty() ? text("AWS_CONTAINER_CREDENTIALS_FULL_URI") : "http://169.254.170.2" + relative;
  from.container_token = text("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  from.container_token_file = text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  return from;
}

/// What this process's environment says.
inline aws_credential_sources aws_sources_from_environment() {
  return aws_sources_from([](const char* name) { return static_cast<const char*>(std::getenv(name)); });
}

/// Whether credentials may be asked for there: over TLS, or in plain text on this machine and at the addresses that ECS
/// and EKS give to their agents.
inline bool is_credentials_host(http_endpoint const& at) noexcept {
  if (at.tls || at.host == "localhost" || at.host == "169.254.170.2" || at.host == "169.254.170.23") return true;
  in_addr four{};
  if (inet_pton(AF_INET, at.host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  in6_addr six{}, eks{};
  inet_pton(AF_INET6, "fd00:ec2::23", &eks);
  return inet_pton(AF_INET6, at.host.c_str(), &six) == 1 &&
         (IN6_IS_ADDR_LOOPBACK(&six) || IN6_ARE_ADDR_EQUAL(&six, &eks));
}

/// A small file of text, or nothing where there is none, it cannot be read, or it is larger than 1 MiB.
inline std::optional<std::string> read_small_file(std::string const& path) {
  constexpr std::size_t most = 1024 * 1024;
  struct stat about{};
  // A pipe could keep the reader waiting.
  if (path.empty() || ::stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  std::ifstream in(path, std::ios::binary);
  std::string text(std::min(most, static_cast<std::size_t>(about.st_size)) + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || !in.is_open() || static_cast<std::size_t>(in.gcount()) > most) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// Credentials that are valid, or why there are none.
struct aws_credential_answer {
  aws_credentials credentials = {};
  /// Empty when there are credentials.
  std::string problem = {};
};

/// Finds credentials and renews them: 5 minutes before they expire, or every 5 minutes where a file may change. While
/// renewal fails, the last good ones are used for as long as they are valid. From any thread; one that asks waits for
/// another's renewal, until its own deadline.
class aws_credential_provider {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit aws_credential_provider(aws_credential_sources from) : from_(std::move(from)) {}

  aws_credential_sources const& sources() const noexcept { return from_; }

  /// `now` is seconds since the Unix epoch by the service's clock; asking an endpoint ends by the deadline.
  aws_credential_answer get(std::int64_t now, time_point deadline) {
    std::string warning;
    aws_credential_answer answer;
    {
      const std::unique_lock lock(mutex_, deadline);
      if (!lock.owns_lock()) {
        answer.problem = "the AWS credentials are being asked for, and have not come yet";
        return answer;
      }
      if (held_.credentials.empty() || now >= held_.renew_at) warning = renew(now, deadline);
      if (held_.credentials.empty())
        answer.problem = problem_;
      else if (now >= held_.expires)
        answer.problem = "the AWS credentials have expired and could not be renewed: " + problem_;
      else
        answer.credentials = held_.credentials;
    }
    // Under no lock: who handles the log may ask for what needs credentials.
    if (!warning.empty()) log(log_level::warn, warning, "aws credentials not renewed");
    return answer;
  }

  /// The service did not accept them: they are looked for once more before they are used again, but not within a minute
  /// of the last time. Whether they will be.
  bool distrust(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    if (!from_.given.access_key_id.empty() || held_.credentials.empty()) return false;
    if (now >= tried_at_ && now < tried_at_ + pause_when_refused) return false;
    held_.renew_at = now;
    return true;
  }

  /// Makes an endpoint that is being asked fail at once.
  void interrupt() noexcept {
    const std::lock_guard lock(asking_mutex_);
    if (asking_) asking_->interrupt();
  }

 private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t renewal = 300, pause_when_refused = 60, pause_when_failed = 10;
  static constexpr std::chrono::seconds longest_answer{5};

  struct found {
    aws_credentials credentials = {};
    std::int64_t expires = never, renew_at = never;
    std::string problem = {};
  };

  /// What the log is to say.
  std::string renew(std::int64_t now, time_point deadline) {
    const bool usable = !held_.credentials.empty() && now < held_.expires;
    if (usable && now >= tried_at_ && now < tried_at_ + pause_when_failed) return {};
    tried_at_ = now;
    found fresh = look(now, deadline);
    if (!fresh.credentials.empty()) {
      held_ = std::move(fresh);
      return {};
    }
    problem_ = std::move(fresh.problem);
    if (!usable) return {};
    return "the AWS credentials could not be renewed and are used until they expire: " + problem_;
  }

  static found failed(std::string why) {
    found nothing;
    nothing.problem = std::move(why);
    return nothing;
  }

  found look(std::int64_t now, time_point deadline) {
    if (!from_.given.access_key_id.empty()) {
      if (from_.given.empty()) return failed("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
      found given;
      given.credentials = from_.given;
      return given;
    }
    found in_file = look_in_files(now);
    if (!in_file.credentials.empty() || !in_file.problem.empty()) return in_file;
    if (!from_.container_url.empty()) return ask_container(now, deadline);
    return failed(
        "there are no AWS credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor a profile in a "
        "credentials file, nor a container's endpoint");
  }

  /// Neither credentials nor a problem when nobody asked for a profile and there is none.
  found look_in_files(std::int64_t now) const {
    const std::string profile = from_.profile.empty() ? "default" : from_.profile;
    const std::string shown = "the AWS profile \"" + profile + "\" ";
    bool is_there = false;
    std::string other_way;
    for (auto const& [path, kind] :
         {std::pair{&from_.credentials_file, aws_file::credentials}, std::pair{&from_.config_file, aws_file::config}}) {
      const std::optional<std::string> text = read_small_file(*path);
      const std::optional<text_members> settings = text ? read_aws_profile(*text, profile, kind) : std::nullopt;
      if (!settings) continue;
      is_there = true;
      found made;
      made.credentials = {std::string(find_member(*settings, "aws_access_key_id")),
                          std::string(find_member(*settings, "aws_secret_access_key")),
                          std::string(find_member(*settings, "aws_session_token"))};
      made.renew_at = now + renewal;
      if (!made.credentials.empty()) return made;
      if (!made.credentials.access_key_id.empty())
        return failed(shown + "has an aws_access_key_id and no aws_secret_access_key");
      for (const char* name : {"role_arn", "sso_session", "sso_account_id", "credential_process", "login_session"})
        if (!find_member(*settings, name).empty()) other_way = name;
    }
    if (!other_way.empty()) return failed(shown + "gets its credentials by " + other_way + ", which is not supported");
    if (from_.profile.empty()) return {};
    return failed(shown + (is_there ? "has no aws_access_key_id" : "is in no file that could be read"));
  }

  found ask_container(std::int64_t now, time_point deadline) {
    http_endpoint at;
    if (const std::string wrong = parse_endpoint(from_.container_url, at); !wrong.empty())
      return failed("the address of the container's credentials is not valid: " + wrong);
    if (!is_credentials_host(at))
      return failed("the address of the container's credentials is plain http to another machine");
    std::string token = from_.container_token;
    if (!from_.container_token_file.empty()) {
      const std::optional<std::string> text = read_small_file(from_.container_token_file);
      if (!text) return failed("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE could not be read");
      token = without_space_around(*text);
    }
    http_headers headers{{"Accept", "application/json"}};
    if (!token.empty()) {
      if (!is_valid_header("Authorization", token))
        return failed("the authorization token for the container's credentials holds a character no header may");
      headers.emplace_back("Authorization", std::move(token));
    }
    http_client client(at);
    const auto asking = [this](http_client* who) {
      const std::lock_guard lock(asking_mutex_);
      asking_ = who;
    };
    asking(&client);
    const http_answer answer = client.send({"GET", at.path, headers, {}},
                                           std::min(deadline, std::chrono::steady_clock::now() + longest_answer));
    asking(nullptr);
    // Without the path: on ECS who knows it gets the credentials.
    const std::string shown = (at.tls ? "https://" : "http://") + at.bracketed_host() + ":" + std::to_string(at.port);
    if (answer.status == 0) return failed(shown + ": " + answer.error);
    if (answer.status != 200) return failed(shown + " answered HTTP " + std::to_string(answer.status));
    return from_answer(answer.body, shown, now);
  }

  static found from_answer(std::string_view body, std::string const& shown, std::int64_t now) {
    const std::optional<text_members> members = read_flat_json(body);
    if (!members) return failed(shown + " answered something that is not JSON");
    found made;
    made.credentials = {std::string(find_member(*members, "AccessKeyId")),
                        std::string(find_member(*members, "SecretAccessKey")),
                        std::string(find_member(*members, "Token"))};
    if (made.credentials.empty()) return failed(shown + " answered without AccessKeyId or SecretAccessKey");
    made.renew_at = now + renewal;
    const std::string_view expiration = find_member(*members, "Expiration");
    if (!expiration.empty()) {
      const std::optional<std::int64_t> expires = parse_utc(expiration);
      if (!expires) return failed(shown + " answered with an Expiration that is no date");
      if (*expires <= now) return failed(shown + " answered with credentials that have expired");
      made.expires = *expires;
      made.renew_at = *expires - renewal;
    }
    return made;
  }

  const aws_credential_sources from_;
  std::timed_mutex mutex_;
  std::mutex asking_mutex_;
  found held_;
  std::string problem_;
  std::int64_t tried_at_ = std::numeric_limits<std::int64_t>::min() / 2;
  http_client* asking_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
