#include "daemon/reconciler.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <poll.h>

#include "daemon/clock.h"

namespace wesher::daemon {

Reconciler::Reconciler(ReconcilerParts parts, Log& log, Notifier& notifier)
    : core_(std::move(parts), log, notifier, now, system_rng()) {}

Reconciler::~Reconciler() {
  if (thread_.joinable()) stop(StopKind::keep, 0);
}

void Reconciler::run(ReconcilerCallbacks callbacks) {
  core_.set_callbacks(std::move(callbacks));
  thread_ = std::thread([this] { loop(); });
}

void Reconciler::freeze() {
  inbox_.push(Input{Freeze{}, now().wall});
}

void Reconciler::stop(StopKind kind, std::size_t told) {
  inbox_.push(Input{Stop{kind, told}, now().wall});
  if (thread_.joinable()) thread_.join();
}

void Reconciler::loop() {
  while (!stop_) {
    core_.advance();
    wait();
    take_input();
  }
  core_.finish(stop_->kind, stop_->told);
}

void Reconciler::wait() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(core_.next_due() - now().at);
  const auto ms = static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
  std::array<pollfd, 2> fds{{{inbox_.fd(), POLLIN, 0}, {core_.data_plane().watch_fd(), POLLIN, 0}}};
  (void)::poll(fds.data(), fds.size(), ms);
  if ((fds[1].revents & POLLIN) != 0 && core_.data_plane().drain_watch()) core_.noticed();
}

void Reconciler::take_input() {
  for (Input& input : inbox_.take_all()) {
    if (const auto* fact = std::get_if<mesh::Fact>(&input.what)) {
      core_.take(*fact, input.at);
    } else if (std::holds_alternative<Freeze>(input.what)) {
      core_.freeze();
    } else if (auto* underlay = std::get_if<Underlay>(&input.what)) {
      core_.announcing(std::move(underlay->address));
    } else if (auto* kept_out = std::get_if<KeptOut>(&input.what)) {
      core_.kept_out(std::move(kept_out->why));
    } else if (const auto* answer = std::get_if<Answer>(&input.what)) {
      core_.answer(answer->request, answer->done, answer->text);
    } else {
      stop_ = std::get<Stop>(input.what);
    }
  }
}

}  // namespace wesher::daemon
