// The answer to a unary gRPC call, put together from the headers, data and trailers of an HTTP/2 response.
//
// The result of a call is `grpc-status`, in the trailers or, when there is no data, in the only block of headers
// ("Trailers-Only"). Where it is missing, a proxy has answered, and its HTTP status is what there is. Everything here
// comes from a network: sizes are limited before anything is kept (opentelemetry-proto, docs/specification.md,
// OTLP/gRPC Response).
#pragma once

#include <fulgurite/text/ascii.hpp>
#include <fulgurite/text/base64.hpp>
#include <fulgurite/text/code_points.hpp>
#include <fulgurite/text/percent.hpp>
#include <fulgurite/transport/grpc_message.hpp>
#include <fulgurite/transport/gzip.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Largest message that is taken, in bytes after decompression.
inline constexpr std::size_t max_grpc_answer = 4 * 1024 * 1024;
/// Of all headers and trailers together, in bytes.
inline constexpr std::size_t max_grpc_headers = 64 * 1024;

/// `header` and `data` are called with what arrives, in that order; `finish` once.
class grpc_response {
 public:
  /// A line of a block of headers: the status line, `name: value`, or the empty line after the last. False: too much.
  bool header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > max_grpc_headers) return !(too_large_ = true);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) {
      is_over_ = body_.empty() && (has_code() || (http_status_ >= 200 && !is_grpc()));
      return true;
    }
    if (line.substr(0, 5) == "HTTP/") {
      begin_block(line.substr(5));
      return true;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    const auto is = [name](std::string_view expected) { return equal_ignoring_case(name, expected); };
    if (is("grpc-status"))
      code_ = value.empty() ? "?" : value;
    else if (is("grpc-message"))
      message_ = value;
    else if (is("grpc-status-details-bin"))
      details_ = value;
    else if (is("grpc-encoding"))
      encoding_ = value;
    else if (is("content-type"))
      content_type_ = value;
    return true;
  }

  /// Octets of the body. False: the message is larger than the limit, and the rest need not be read.
  bool data(std::string_view octets) {
    if (!is_grpc()) return true;  // a proxy's page, which nobody reads
    if (body_.size() + octets.size() > grpc_prefix_size + max_grpc_answer) return !(too_large_ = true);
    body_.append(octets);
    if (body_.size() >= grpc_prefix_size && announced() > max_grpc_answer) return !(too_large_ = true);
    return true;
  }

  bool is_too_large() const noexcept { return too_large_; }
  /// Whether HTTP/2 was spoken; nothing before the first line.
  std::optional<bool> is_http2() const noexcept { return version_; }
  /// Whether the call's result is there.
  bool has_code() const noexcept { return !code_.empty(); }
  /// The first headers have ended and tell the result: nothing comes after them, or nothing that is read.
  bool is_over() const noexcept { return is_over_; }

  /// The answer of a response that came whole, or whose result at least did. `is_cut`: the connection ended with it,
  /// and libcurl 7.88 may have lost the trailers, or more. Throws `std::bad_alloc`.
  grpc_answer finish(bool is_cut) {
    grpc_answer answer;
    if (has_code()) {
      answer.code = parse_grpc_code(code_);
      answer.message = to_utf8(percent_octets(message_));
      if (!details_.empty()) answer.details = base64_decoded(details_).value_or(std::string());
      if (answer.code == grpc_code::ok) unframe(answer);
      return answer;
    }
    if (is_cut && http_status_ == 200 && is_grpc()) {
      // A unary call's message comes with success only.
      answer.code = grpc_code::ok;
      unframe(answer);
      if (answer.code == grpc_code::ok && !body_.empty()) return answer;
      answer = {};
      answer.code = grpc_code::unavailable;
      answer.why = grpc_answer::failure::disconnected;
      answer.error = "the connection was closed before a grpc-status came";
      return answer;
    }
    answer.code = grpc_code_of_http(http_status_);
    answer.error = "HTTP " + std::to_string(http_status_);
    if (http_status_ == 200 && is_grpc())
      answer.error = "the answer ended without a grpc-status";
    else if (!is_grpc())
      answer.error += content_type_.empty() ? ", not gRPC" : " with " + content_type_.substr(0, 100) + ", not gRPC";
    return answer;
  }

 private:
  /// After `HTTP/`: a new response begins, after an interim one (100 to 199) or a proxy's.
  void begin_block(std::string_view line) {
    version_ = line.substr(0, 1) == "2";
    const std::size_t space = line.find(' ');
    http_status_ = 0;
    for (std::size_t i = space; i < line.size() && i < space + 4; ++i)
      if (line[i] >= '0' && line[i] <= '9') http_status_ = http_status_ * 10 + (line[i] - '0');
    code_.clear();
    message_.clear();
    details_.clear();
    encoding_.clear();
    content_type_.clear();
    body_.clear();
    is_over_ = false;
  }

  bool is_grpc() const noexcept { return equal_ignoring_case(content_type_.substr(0, 16), "application/grpc"); }

  std::uint32_t announced() const noexcept {
    std::uint32_t size = 0;
    for (std::size_t i = 1; i < grpc_prefix_size; ++i) size = size << 8 | static_cast<unsigned char>(body_[i]);
    return size;
  }

  /// Takes the message out of its frame. None at all is read as an empty one: the other side said that it is done.
  void unframe(grpc_answer& answer) {
    if (body_.empty()) return;
    const auto wrong = [&answer](const char* what) {
      answer.code = grpc_code::internal;
      answer.error = what;
    };
    if (body_.size() < grpc_prefix_size || body_.size() - grpc_prefix_size < announced())
      return wrong("the message of the answer is cut off");
    if (body_.size() - grpc_prefix_size > announced()) return wrong("the answer has more than one message");
    const std::string_view message = std::string_view(body_).substr(grpc_prefix_size);
    if (body_[0] == 0) return answer.body.assign(message), void();
    if (body_[0] != 1 || !equal_ignoring_case(encoding_, "gzip"))
      return wrong("the message of the answer is compressed in a way that was not asked for");
    switch (gunzip(message, max_grpc_answer, answer.body)) {
      case gunzip_result::whole:
        return;
      case gunzip_result::malformed:
        answer.body.clear();
        return wrong("the message of the answer could not be decompressed");
      case gunzip_result::too_large:
        answer.body.clear();
        too_large_ = true;
    }
  }

  std::optional<bool> version_;
  int http_status_ = 0;
  std::string code_, message_, details_, encoding_, content_type_, body_;
  std::size_t header_bytes_ = 0;
  bool is_over_ = false;
  bool too_large_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
