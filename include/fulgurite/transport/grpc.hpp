// A gRPC client for one endpoint and unary calls, over libcurl's HTTP/2: no gRPC library, no protobuf, no abseil.
//
// Clear text is HTTP/2 with prior knowledge, TLS negotiates `h2`; certificates are verified. The connection is kept
// from one call to the next; libcurl itself sends a call again, over a fresh connection, when a kept one turns out to
// be closed or refuses new streams. After a deadline or an interruption the connection is dropped, for nothing says
// whether it is still alive. Names are looked up here (transport/resolver.hpp), the deadline is held by
// transport/curl.hpp. Redirects are not followed: gRPC has none.
//
// A proxy is used when it is given, by CONNECT, and never because of libcurl's own reading of the environment: OTLP
// says nothing of proxies, so an exporter's options and this library's configuration decide, the same for every
// transport.
#pragma once

#include <fulgurite/platform/sigpipe.hpp>
#include <fulgurite/transport/curl.hpp>
#include <fulgurite/transport/endpoint.hpp>
#include <fulgurite/transport/grpc_message.hpp>
#include <fulgurite/transport/grpc_response.hpp>
#include <fulgurite/transport/proxy.hpp>
#include <fulgurite/transport/resolver.hpp>
#include <fulgurite/transport/tls_options.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Makes one call at a time; only `interrupt` may be called from another thread.
class grpc_client {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit grpc_client(http_endpoint to, tls_options tls = {}, http_proxy proxy = {})
      : endpoint_(std::move(to)),
        tls_(std::move(tls)),
        proxy_(std::move(proxy)),
        next_{proxy_.is_used() ? proxy_.host : endpoint_.host, proxy_.is_used() ? proxy_.port : endpoint_.port},
        is_numeric_(is_numeric_host(next_.host)),
        curl_(std::make_unique<curl_transfer>()),
        pid_(getpid()) {
    // Now, and not with the first call: what libcurl and its TLS library register for exit() comes before whatever
    // is registered by a tracer that has this client.
    static_cast<void>(curl_is_ready());
  }
  grpc_client(grpc_client const&) = delete;
  grpc_client& operator=(grpc_client const&) = delete;
  ~grpc_client() {
    if (pid_ != getpid()) leave_to_parent();
    const sigpipe_blocked quiet;
    curl_.reset();
  }

  http_endpoint const& endpoint() const noexcept { return endpoint_; }

  /// Makes a call and reads the whole answer, or fails when the deadline comes. Throws `std::bad_alloc` only.
  grpc_answer send(grpc_request const& request, time_point deadline) {
    if (pid_ != getpid()) leave_to_parent();
    const sigpipe_blocked quiet;
    curl_->begin();
    struct ended {
      curl_transfer& of;
      ~ended() { of.end(); }
    } const at_end{*curl_};
    was_lost_ = false;
    if (request.message.size() > max_grpc_message)
      return failed(grpc_answer::failure::too_large, "the message is larger than gRPC can say");
    grpc_answer answer = connect_and_call(request, deadline, true);
    return was_lost_ ? ask_again(request, deadline) : answer;
  }

  /// Makes the call that is under way fail at once.
  void interrupt() noexcept { curl_->interrupt(); }

  /// Closes the connection. The next call opens another.
  void close() noexcept {
    if (pid_ != getpid()) return;
    const sigpipe_blocked quiet;
    curl_->drop();
  }

 private:
  using failure = grpc_answer::failure;
  struct free_list {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  using slist = std::unique_ptr<curl_slist, free_list>;
  /// What the connection goes to: the endpoint, or the proxy before it.
  struct hop {
    std::string host;
    std::uint16_t port;
  };
  /// What libcurl takes piece by piece.
  struct upload {
    std::array<std::byte, grpc_prefix_size> prefix;
    std::span<const std::byte> message;
    std::size_t sent = 0;

    std::size_t size() const noexcept { return prefix.size() + message.size(); }
  };

  static constexpr const char* too_late = "no answer within the time limit";
  static constexpr const char* gave_up = "given up before a whole answer came";

  /// After a fork the connection is the parent's.
  void leave_to_parent() {
    curl_->leave_to_parent();
    // Not destroyed: another thread may have held its lock.
    static_cast<void>(curl_.release());
    curl_ = std::make_unique<curl_transfer>();
    pid_ = getpid();
  }

  /// Before 8.1 libcurl says hello on a kept connection once more when it is told that HTTP/2 is known to be spoken,
  /// and the connection fails. Told only that it is wanted it does not, but would ask for it by HTTP/1.1 on a new one.
  bool is_switch_repeated() const noexcept {
    return !endpoint_.tls && curl_version_info(CURLVERSION_NOW)->version_num < 0x080100;
  }

  grpc_answer connect_and_call(grpc_request const& request, time_point deadline, bool with_message) {
    if (is_switch_repeated() && curl_->is_connected()) {
      curl_->let_open(false);
      set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2_0});
      set(CURLOPT_RESOLVE, static_cast<curl_slist*>(nullptr));
      grpc_answer answer = call(request, deadline, with_message);
      if (!curl_->wanted_to_open()) return answer;
      curl_->drop();  // the other side has closed it
    }
    if (curl_->open()) set_fixed_options();
    curl_->let_open(true);
    set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
    const slist addresses = look_up(deadline);
    if (!is_numeric_ && !addresses && !curl_->is_connected()) return not_found();
    set(CURLOPT_RESOLVE, addresses.get());
    return call(request, deadline, with_message);
  }

  /// What refuses a call before it has read the message resets the stream after its answer, and libcurl 7.88 loses the
  /// answer when both arrive together. Asked with an empty message the server may say it again; without any message it
  /// has nothing to reset. When there is nothing wrong with these calls, it is with the message.
  grpc_answer ask_again(grpc_request const& request, time_point deadline) {
    constexpr std::size_t first_window = 65'535;
    grpc_answer answer = connect_and_call({request.path, request.metadata, {}, false}, deadline, true);
    if (was_lost_) {
      answer = connect_and_call(request, deadline, false);
      // That the message is missing is said by these.
      if (answer.code == grpc_code::unknown || answer.code == grpc_code::internal) answer.code = grpc_code::ok;
    }
    if (answer.code != grpc_code::ok) return answer;
    // A small one is sent whole before anybody looks at it.
    if (request.message.size() + grpc_prefix_size <= first_window)
      return failed(failure::disconnected, "the server ended the call at once, and its answer was lost");
    answer = failed(failure::reset, "the server did not read the whole message; perhaps it is larger than it takes");
    answer.code = grpc_code::resource_exhausted;
    return answer;
  }

  static void append(slist& list, std::string const& line) {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  }

  template <class T>
  void set(CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(curl_->easy(), option, value);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLE_OK && !unsupported_) unsupported_ = true;
  }

  /// Those that are the same for every call.
  void set_fixed_options() {
    unsupported_ = false;
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_PROTOCOLS_STR, endpoint_.tls ? "https" : "http");
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_READFUNCTION, &grpc_client::read_upload);
    set(CURLOPT_SEEKFUNCTION, &grpc_client::seek_upload);
    set(CURLOPT_HEADERFUNCTION, &grpc_client::take_header);
    set(CURLOPT_WRITEFUNCTION, &grpc_client::take_data);
    // An empty text: not even the one that the environment names.
    set(CURLOPT_PROXY, proxy_.is_used() ? address_of_proxy().c_str() : "");
    set(CURLOPT_NOPROXY, "");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (proxy_.is_used()) {
      set(CURLOPT_HTTPPROXYTUNNEL, 1L);
      if (!proxy_.user.empty()) {
        set(CURLOPT_PROXYUSERNAME, proxy_.user.c_str());
        set(CURLOPT_PROXYPASSWORD, proxy_.password.c_str());
      }
    }
    if (!endpoint_.tls) return;
    set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    if (!tls_.ca_file.empty()) {
      set(CURLOPT_CAINFO, tls_.ca_file.c_str());
      // Otherwise the system's folder counts as well.
      set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    if (!tls_.client_certificate.empty()) {
      set(CURLOPT_SSLCERT, tls_.client_certificate.c_str());
      set(CURLOPT_SSLKEY, tls_.client_key.c_str());
    }
  }

  std::string address_of_proxy() const {
    return "http://" + http_endpoint{false, proxy_.host, proxy_.port, ""}.bracketed_host() + ":" +
           std::to_string(proxy_.port);
  }

  /// The addresses of the next hop in libcurl's form, when they are needed and were found.
  slist look_up(time_point deadline) {
    slist list;
    if (is_numeric_ || curl_->is_connected()) return list;
    const resolved found = curl_->look_up(next_.host, deadline);
    lookup_error_ = found.error;
    if (found.addresses.empty()) return list;
    std::string entry = next_.host + ":" + std::to_string(next_.port) + ":";
    for (std::string const& address : found.addresses) {
      if (entry.back() != ':') entry += ',';
      entry += address.find(':') == std::string::npos ? address : "[" + address + "]";
    }
    append(list, entry);
    return list;
  }
  grpc_answer not_found() const {
    if (curl_->is_interrupted()) return failed(failure::interrupted, gave_up);
    return failed(failure::refused, (proxy_.is_used() ? "the proxy's name could not be resolved: "
                                                      : "the host's name could not be resolved: ") +
                                        lookup_error_);
  }

  static slist headers(grpc_request const& request, time_point deadline) {
    slist list;
    append(list, "te: trailers");
    append(list, "content-type: application/grpc");
    append(list, "grpc-accept-encoding: identity,gzip");
    if (request.is_compressed) append(list, "grpc-encoding: gzip");
    if (deadline != time_point::max())
      append(list, "grpc-timeout: " + grpc_timeout(deadline - std::chrono::steady_clock::now()));
    for (auto const& [name, value] : request.metadata) {
      if (is_reserved_metadata(name) || !is_valid_metadata(name, value)) continue;
      const auto [key, text] = encoded_metadata(name, value);
      append(list, text.empty() ? key + ";" : key + ": " + text);  // `key:` would mean none
    }
    append(list, "accept:");
    append(list, "expect:");
    return list;
  }

  grpc_answer call(grpc_request const& request, time_point deadline, bool with_message) {
    const slist list = headers(request, deadline);
    grpc_response response;
    upload body{grpc_prefix(static_cast<std::uint32_t>(request.message.size()), request.is_compressed),
                request.message};
    error_[0] = '\0';
    set(CURLOPT_URL, ((endpoint_.tls ? "https://" : "http://") + endpoint_.bracketed_host() + ":" +
                      std::to_string(endpoint_.port) + std::string(request.path))
                         .c_str());
    set(CURLOPT_HTTPHEADER, list.get());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(with_message ? body.size() : 0));
    set(CURLOPT_READDATA, &body);
    set(CURLOPT_SEEKDATA, &body);
    set(CURLOPT_HEADERDATA, &response);
    set(CURLOPT_WRITEDATA, &response);
    // The deadline is held by `run`; libcurl's own come after it. Unset, the one for connecting is five minutes.
    const long a_little_later = milliseconds_until(deadline) + 1000;
    set(CURLOPT_CONNECTTIMEOUT_MS, a_little_later);
    set(CURLOPT_TIMEOUT_MS, a_little_later);
    if (unsupported_) {
      curl_->drop();
      return failed(failure::not_grpc, "this libcurl lacks HTTP/2 or TLS");
    }
    CURLcode code = CURLE_OK;
    // What refuses a call early need not read the rest of it.
    // libcurl 7.88 does not see a refusal that comes when it has no room left to send: then the deadline ends it.
    const curl_transfer::outcome how = curl_->run(deadline, [&] { return response.is_over(); }, code);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    long connections = 0;
    curl_easy_getinfo(curl_->easy(), CURLINFO_NUM_CONNECTS, &connections);
    grpc_answer answer = read(response, how, code, connections != 0, deadline);
    answer.reused = connections == 0;
    was_lost_ = how == curl_transfer::outcome::done && !response.is_http2() &&
                (code == CURLE_GOT_NOTHING || (code == CURLE_HTTP2_STREAM && error_[0] == '\0'));
    // A call that the other side ended leaves a connection that is in order; of any other that is not known.
    if (how != curl_transfer::outcome::done || (code != CURLE_OK && code != CURLE_HTTP2_STREAM) || was_lost_)
      curl_->drop();
    return answer;
  }

  static long milliseconds_until(time_point deadline) {
    constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 20);
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<long>(std::clamp(rest, std::chrono::milliseconds(0), longest).count());
  }

  grpc_answer read(grpc_response& response, curl_transfer::outcome how, CURLcode code, bool is_new,
                   time_point deadline) {
    using outcome = curl_transfer::outcome;
    if (response.is_too_large()) return failed(failure::too_large, "the answer is larger than 4 MiB");
    if (response.is_http2() == false)
      return failed(failure::not_grpc, "the other side speaks HTTP/1.1 and not HTTP/2, as gRPC does");
    // Whatever happened to the stream afterwards: the result has come.
    if (response.has_code() || response.is_over() || (how == outcome::done && code == CURLE_OK)) {
      grpc_answer answer = response.finish(!curl_->is_connected());
      if (response.is_too_large()) return failed(failure::too_large, "the answer is larger than 4 MiB");
      return answer;
    }
    if (how == outcome::interrupted) return failed(failure::interrupted, gave_up);
    if (how == outcome::expired || std::chrono::steady_clock::now() >= deadline)
      return failed(failure::timed_out, too_late);
    return explain(code, is_new);
  }

  grpc_answer explain(CURLcode code, bool is_new) const {
    long of_proxy = 0;
    curl_easy_getinfo(curl_->easy(), CURLINFO_HTTP_CONNECTCODE, &of_proxy);
    if (of_proxy >= 300)
      return failed(is_about_next_hop(of_proxy) ? failure::refused : failure::not_grpc,
                    "the proxy answered HTTP " + std::to_string(of_proxy));
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST:
      case CURLE_COULDNT_RESOLVE_PROXY:
        return failed(failure::refused, "the host's name could not be resolved");
      case CURLE_COULDNT_CONNECT:
        return failed(failure::refused, (proxy_.is_used() ? "the proxy: " : "") + connect_error());
      case CURLE_OPERATION_TIMEDOUT:
        return failed(failure::timed_out, too_late);
      case CURLE_SSL_CACERT_BADFILE:
        return failed(failure::tls, "the trusted certificates could not be read" +
                                        (tls_.ca_file.empty() ? "" : " from " + tls_.ca_file));
      case CURLE_SSL_CERTPROBLEM:
        return failed(failure::tls, "the client certificate or its key could not be read");
      case CURLE_PEER_FAILED_VERIFICATION:
        return failed(failure::tls, "the server's certificate was not accepted" + detail());
      case CURLE_SSL_CONNECT_ERROR:
        return failed(is_about_certificate() ? failure::tls : failure::disconnected,
                      "the TLS handshake failed" + detail());
      case CURLE_HTTP2_STREAM:
        return reset();
      case CURLE_GOT_NOTHING:
      case CURLE_HTTP2:
      case CURLE_WEIRD_SERVER_REPLY:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return failed(failure::disconnected,
                      (proxy_.is_used() ? "the connection through the proxy failed"
                                        : "the connection failed; perhaps gRPC is not spoken at this port") +
                          detail());
      case CURLE_RECV_ERROR:
      case CURLE_SEND_ERROR:
        if (is_about_certificate())
          return failed(failure::tls, "the server did not accept the client's certificate, or got none" + detail());
        [[fallthrough]];
      default:
        // TLS 1.3 tells a client so late that it lacks a certificate that libcurl may not hear it.
        return failed(failure::disconnected,
                      (is_new && endpoint_.tls && tls_.client_certificate.empty()
                           ? "the connection was closed before an answer came; perhaps a client certificate is wanted"
                           : "the connection was closed before a whole answer came") +
                          detail());
    }
  }

  /// What a proxy says of the server behind it, rather than of whoever asks.
  static constexpr bool is_about_next_hop(long status) noexcept {
    return status == 429 || status == 502 || status == 503 || status == 504;
  }

  /// libcurl says the error code in its text only: `HTTP/2 stream 1 was not closed cleanly: CANCEL (err 8)`.
  grpc_answer reset() const {
    grpc_answer answer = failed(failure::reset, "the server gave the call up" + detail());
    unsigned error = 0;
    const char* const at = std::strstr(error_, "(err ");
    if (at && std::sscanf(at, "(err %u)", &error) == 1) answer.code = grpc_code_of_reset(error);
    return answer;
  }

  /// TLS 1.3 says only after the handshake what was wrong with the client's certificate.
  bool is_about_certificate() const noexcept {
    return endpoint_.tls && std::strstr(error_, "alert") && std::strstr(error_, "certificate");
  }
  std::string detail() const { return error_[0] == '\0' ? std::string() : std::string(": ") + error_; }

  std::string connect_error() const {
    long number = 0;
    curl_easy_getinfo(curl_->easy(), CURLINFO_OS_ERRNO, &number);
    if (number == ECONNREFUSED) return "connection refused: nothing listens there";
    return number == 0 ? "no connection" : std::string("no connection: ") + std::strerror(static_cast<int>(number));
  }

  static grpc_code code_of(failure why) noexcept {
    switch (why) {
      case failure::timed_out:
        return grpc_code::deadline_exceeded;
      case failure::interrupted:
        return grpc_code::cancelled;
      case failure::too_large:
        return grpc_code::resource_exhausted;
      case failure::reset:
      case failure::not_grpc:
        return grpc_code::internal;
      default:
        return grpc_code::unavailable;
    }
  }
  static grpc_answer failed(failure why, std::string reason) {
    grpc_answer answer;
    answer.code = code_of(why);
    answer.why = why;
    answer.error = std::move(reason);
    return answer;
  }

  // libcurl's callbacks. A number that is not the size makes it stop.

  static std::size_t read_upload(char* to, std::size_t size, std::size_t count, void* data) noexcept {
    upload& from = *static_cast<upload*>(data);
    std::size_t room = size * count, taken = 0;
    const auto take = [&](std::span<const std::byte> part, std::size_t begin) {
      if (from.sent < begin || from.sent >= begin + part.size()) return;
      const std::size_t at = from.sent - begin, some = std::min(room, part.size() - at);
      std::memcpy(to + taken, part.data() + at, some);
      from.sent += some;
      taken += some;
      room -= some;
    };
    take(from.prefix, 0);
    take(from.message, from.prefix.size());
    return taken;
  }
  static int seek_upload(void* data, curl_off_t offset, int origin) noexcept {
    upload& from = *static_cast<upload*>(data);
    if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > from.size()) return CURL_SEEKFUNC_FAIL;
    from.sent = static_cast<std::size_t>(offset);
    return CURL_SEEKFUNC_OK;
  }
  static std::size_t take_header(char* line, std::size_t size, std::size_t count, void* to) noexcept try {
    return static_cast<grpc_response*>(to)->header({line, size * count}) ? size * count : 0;
  } catch (std::bad_alloc const&) {
    return 0;
  }
  static std::size_t take_data(char* octets, std::size_t size, std::size_t count, void* to) noexcept try {
    return static_cast<grpc_response*>(to)->data({octets, size * count}) ? size * count : 0;
  } catch (std::bad_alloc const&) {
    return 0;
  }

  http_endpoint endpoint_;
  tls_options tls_;
  http_proxy proxy_;
  hop next_;
  bool is_numeric_;
  std::unique_ptr<curl_transfer> curl_;
  pid_t pid_;
  bool unsupported_ = false;
  bool was_lost_ = false;
  std::string lookup_error_;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
