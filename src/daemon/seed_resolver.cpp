#include "daemon/seed_resolver.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "daemon/asio_ip.h"
#include "daemon/clock.h"

namespace wesher::daemon {

namespace {

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  return ec == std::errc{} && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<JoinEntry> JoinEntry::parse(const std::string& text, std::uint16_t default_port) {
  const auto bad = [&](std::string_view why) {
    return fail(Errc::malformed, fmt::format("--join {}: {}", printable(text), why));
  };
  std::string_view rest = text;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    rest.remove_prefix(slash + 1);
  }
  JoinEntry entry{std::string(rest), default_port};
  if (IpAddress::parse(rest)) return entry;
  const std::size_t colon = rest.rfind(':');
  const bool bracketed = rest.starts_with('[');
  if (bracketed && rest.ends_with(']')) {
    entry.host = rest.substr(1, rest.size() - 2);
  } else if (colon != std::string_view::npos) {
    if (!parse_port(rest.substr(colon + 1), entry.port)) return bad("the port must be 1 to 65535");
    rest = rest.substr(0, colon);
    entry.host = bracketed ? rest.substr(1, rest.size() - 2) : rest;
  }
  if (bracketed ? !IpAddress::parse(entry.host) : !is_valid_hostname(entry.host)) {
    return bad("not a host name or address");
  }
  return entry;
}

SeedResolver::SeedResolver(asio::io_context& io,
                           std::vector<JoinEntry> entries,
                           Log& log,
                           std::function<void(std::vector<Endpoint>)> on_resolved)
    : io_(io),
      entries_(std::move(entries)),
      log_(log),
      on_resolved_(std::move(on_resolved)),
      resolver_(io),
      timer_(io),
      rng_(system_rng()),
      found_(entries_.size()) {}

void SeedResolver::start(std::function<bool()> lonely, std::function<void()> on_first_round) {
  lonely_ = std::move(lonely);
  on_first_round_ = std::move(on_first_round);
  if (entries_.empty()) {
    on_first_round_();
  } else {
    resolve_all();
  }
}

void SeedResolver::stop() {
  stopped_ = true;
  resolver_.cancel();
  timer_.cancel();
}

void SeedResolver::refresh() {
  if (stopped_ || entries_.empty() || waiting_ > 0) return;
  timer_.cancel();
  resolve_all();
}

void SeedResolver::resolve_all() {
  waiting_ = entries_.size();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const JoinEntry& entry = entries_[i];
    if (const auto address = IpAddress::parse(entry.host)) {
      found_[i] = {Endpoint{*address, entry.port}};
      --waiting_;
      continue;
    }
    resolver_.async_resolve(
        entry.host, std::to_string(entry.port), asio::ip::resolver_base::numeric_service,
        [this, i](std::error_code ec, const auto& found) { take(i, ec, found); });
  }
  if (waiting_ == 0) finish_round();
}

void SeedResolver::take(std::size_t index,
                        std::error_code ec,
                        const asio::ip::udp::resolver::results_type& found) {
  if (stopped_) return;
  const JoinEntry& entry = entries_[index];
  const std::string failure = ec ? ec.message() : "";
  std::string& said = failures_[entry.host];
  if (said != failure) {
    said = failure;
    if (ec) {
      log_.warn(
          fmt::format("cannot resolve --join {}: {}. Trying again in 2s, then up to every 60s",
                      printable(entry.host), failure));
    }
  }
  if (!ec) {
    found_[index].clear();
    for (const auto& result : found) {
      found_[index].insert(Endpoint{from_asio(result.endpoint().address()), entry.port});
    }
  }
  if (--waiting_ == 0) finish_round();
}

void SeedResolver::finish_round() {
  std::set<Endpoint> all;
  bool missing = false;
  for (const auto& of_entry : found_) {
    all.insert(of_entry.begin(), of_entry.end());
    missing = missing || of_entry.empty();
  }
  std::vector<Endpoint> list(all.begin(), all.end());
  if (list != announced_) {
    announced_ = list;
    on_resolved_(std::move(list));
  }
  if (auto first = std::exchange(on_first_round_, {})) first();
  if (!missing && !lonely_()) backoff_.reset();
  const Duration pause =
      missing || lonely_() ? backoff_.next(rng_) : Duration{std::chrono::seconds{60}};
  timer_.expires_after(pause);
  timer_.async_wait([this](std::error_code ec) {
    if (!ec && !stopped_) resolve_all();
  });
}

}  // namespace wesher::daemon
