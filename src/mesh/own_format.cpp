// The metadata format that we speak: spoken_format.h decides, here it is stored and announced.
#include "mesh/impl.h"

namespace wesher::mesh {

/// Before we announce ourselves: nobody has heard another form of us, so nobody need hear two.
void Mesh::Impl::prepare_format(const Moment& now) {
  if (!unheard_ || format_pending_) return;
  spoken_.observe(roster_.legacy_formats(), now.at);  // the answers that led here count
  if (const auto format = spoken_.agreed()) speak(*format);
}

void Mesh::Impl::try_format(const Moment& now) {
  if (format_pending_) return;
  if (const auto format = spoken_.due(now.at)) speak(*format);
}

/// Announced when it is on disk, so that a restart says the same.
void Mesh::Impl::speak(MetaFormat format) {
  const std::size_t speakers = spoken_.speakers(format);
  const std::string why =
      (speakers == 1 ? "1 live member" : std::to_string(speakers) + " live members") +
      " of the Go program can read no other, and none can read " +
      std::string(to_text(spoken_.format()));
  herald_.say(Severity::lifecycle, "meta-format",
              "metadata format " + std::string(to_text(spoken_.format())) + " -> " +
                  std::string(to_text(format)) + ": " + why);
  format_pending_ = format;
  facts_.push(SpeakFormat{format, why});
}

void Mesh::Impl::format_stored(MetaFormat format, const Moment& now) {
  if (format_pending_ != format) return;
  format_pending_.reset();
  own_.set_format(format);
  spoken_.set(format, now.at);
  if (phase_ == Phase::leaving || phase_ == Phase::left) return;
  renew_record(now);
  if (phase_ == Phase::waiting) announce(now);
}

}  // namespace wesher::mesh
