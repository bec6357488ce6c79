#include "examination.hpp"

#include "advice.hpp"
#include "cause.hpp"
#include "http.hpp"
#include "read_back.hpp"

#include <fulgurite/encoder/text_value.hpp>
#include <fulgurite/text/printable.hpp>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <utility>

namespace fulgurite_server {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds health_limit{3'000}, web_page_limit{1'000}, advice_limit{2'500}, delivery_limit{3'500},
    read_back_limit{3'000};
/// Where the health check has waited in vain.
constexpr milliseconds short_delivery_limit{2'000};

std::string taken(outcome const& of) { return "in " + fulgurite::format_duration(of.took.count()); }

/// Something that speaks another protocol may close the connection sooner or later.
/// Told by the connection, or by a status that needs no words.
bool is_of_connection(cause of) {
  return of != cause::bad_request && of != cause::busy && of != cause::format && of != cause::other;
}

bool alike(cause a, cause b) {
  const auto other_protocol = [](cause of) { return of == cause::closed || of == cause::not_grpc; };
  return a == b || (other_protocol(a) && other_protocol(b));
}

}  // namespace

void report::add(std::string line) {
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
  changed_.notify_all();
}

void report::end(arrival what) {
  const std::lock_guard lock(mutex_);
  ended_ = what;
  changed_.notify_all();
}

std::optional<arrival> report::follow(clock::time_point until, std::function<void(std::string const&)> const& print) {
  for (std::size_t next = 0;;) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, until, [&] { return next < lines_.size() || ended_; })) return {};
    const std::vector<std::string> fresh(lines_.begin() + static_cast<std::ptrdiff_t>(next), lines_.end());
    const std::optional<arrival> ended = ended_;
    lock.unlock();
    for (std::string const& line : fresh) print(line);
    next += fresh.size();
    if (ended) return ended;
  }
}

examination::examination(destination to, std::shared_ptr<const test_span> span,
                         std::optional<std::string> read_back_from, page look)
    : to_(std::move(to)), span_(std::move(span)), read_back_from_(std::move(read_back_from)), look_(look) {}

void examination::run() noexcept try { report_.end(examine()); } catch (std::exception const& error) {
  say(mark::failed, error.what());
  report_.end(arrival::failed);
}

arrival examination::examine() {
  if (to_.kind == backend::otlp_grpc && !has_grpc()) {
    say(mark::failed, "cannot tell: this `fulgurite` was built without libcurl, and speaks no gRPC");
    below("A traced program that was built with it may well deliver.");
    return arrival::failed;
  }
  const auto exporter = exporter_to(to_);
  const bool healthy = check_health(exporter);
  if (cause_of(health_.reason) == cause::web_page) {
    say(mark::skipped, "sending the test span: it would be taken and thrown away");
    return arrival::failed;
  }
  if (!deliver_to(exporter, healthy)) return arrival::failed;
  const arrival seen = see();
  return healthy ? seen : arrival::failed;
}

bool examination::check_health(std::shared_ptr<fulgurite::any_exporter> const& exporter) {
  health_ = ask_health(exporter, clock::now() + health_limit);
  // The exporter starts a local server where there is none, or where the one that was there has died.
  if (to_.kind == backend::agentops_local && !health_.good &&
      (health_.reason.starts_with("no local server runs") || cause_of(health_.reason) == cause::refused)) {
    say(mark::ok, "no local server runs yet: the first span starts one");
    return true;
  }
  if (health_.good && is_web_page(to_, clock::now() + web_page_limit))
    health_ = {false, "a web page answers at this address, not a backend", health_.took};
  if (health_.good) {
    say(mark::ok, to_.kind == backend::console      ? std::string("nothing to reach: spans are printed here")
                  : to_.kind == backend::file       ? "it can be written to"
                  : to_.kind == backend::jaeger_udp ? "nothing refuses a datagram; UDP gives no answer"
                                                    : "reachable " + taken(health_));
    return true;
  }
  say(mark::failed, (to_.kind == backend::file ? "cannot be written to: " : "not reachable: ") + health_.reason);
  advise(health_.reason);
  return false;
}

bool examination::deliver_to(std::shared_ptr<fulgurite::any_exporter> const& exporter, bool healthy) {
  const bool waited = !healthy && health_.took > health_limit / 2;
  const outcome sent = deliver(exporter, span_, clock::now() + (waited ? short_delivery_limit : delivery_limit));
  if (sent.good) {
    say(mark::ok, to_.kind == backend::file         ? "test span written"
                  : to_.kind == backend::console    ? "test span printed"
                  : to_.kind == backend::jaeger_udp ? "test span sent " + taken(sent)
                                                    : "test span delivered " + taken(sent));
    return true;
  }
  // What a backend says itself may be another thing each time.
  const bool same =
      !healthy && (waited || sent.reason == health_.reason ||
                   (is_of_connection(cause_of(sent.reason)) && alike(cause_of(sent.reason), cause_of(health_.reason))));
  say(mark::failed, "test span not delivered" + (same ? ", for the same reason" : ": " + sent.reason));
  if (!same) advise(sent.reason);
  say(mark::skipped, "reading it back");
  return false;
}

arrival examination::see() {
  const read_back_result result = read_back(to_, *span_, read_back_from_, clock::now() + read_back_limit);
  const bool found = result.what == read_back_result::found, missing = result.what == read_back_result::missing;
  say(found ? mark::ok : missing ? mark::failed : mark::skipped, result.sentence);
  for (std::string const& sentence : result.more) below(sentence);
  return found ? arrival::seen : missing ? arrival::failed : arrival::taken;
}

void examination::advise(std::string const& reason) {
  for (std::string const& sentence : advice(to_, reason, span_, clock::now() + advice_limit)) below(sentence);
}

void examination::say(mark how, std::string const& text) { report_.add(look_.line(how, clean(text))); }
void examination::below(std::string const& text) { report_.add(look_.below(clean(text))); }

/// Some of it was written by a backend.
std::string examination::clean(std::string text) const {
  text = without_secrets_of(to_.config, [](const char* name) { return std::getenv(name); }, std::move(text));
  while (text.ends_with(' ') || text.ends_with('\n')) text.pop_back();
  return fulgurite::printable(text, 600);
}

}  // namespace fulgurite_server
