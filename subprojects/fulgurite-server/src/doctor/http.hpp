// The doctor's own questions over HTTP, on the way that the exporter would take: its proxy, its trust.
#pragma once

#include "destinations.hpp"

#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/transport/http_message.hpp>

#include <string>

namespace fulgurite_server {

/// Sends no credentials but those in `headers`. Without an answer its status is 0.
fulgurite::detail::http_answer ask_http(destination const& to, const char* method, std::string const& url,
                                        fulgurite::detail::http_headers headers, std::string const& body,
                                        fulgurite::deadline until);

/// Whether a web page answers where spans are to be sent: a server of pages may say 200 to whatever it is sent.
bool is_web_page(destination const& to, fulgurite::deadline until);

}  // namespace fulgurite_server
