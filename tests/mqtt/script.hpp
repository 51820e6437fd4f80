// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <deque>

#include <functional>
#include <string>
#include <vector>

#include "mqtt/session.hpp"

namespace mqtt_test {

/// A conversation with a Session, written as it happens:
/// `.receives(connect).authenticates().accepts().sends(...)`. Bytes go through the codec, so that a script
/// tests both. Each expectation takes the next action in order; `run` plays it, `cut_at_every_byte` plays it
/// again for each way of cutting the received bytes in two.
class Script {
  public:
    explicit Script(base::Instant now = base::Instant{std::chrono::seconds(1'000'000)}) : now_(now) {}

    Script& receives(mqtt::Packet packet) { return receives_bytes(mqtt::encode(packet)); }
    Script& receives_bytes(base::Bytes bytes) {
        return step([bytes = std::move(bytes)](Play& play) { play.feed(bytes); });
    }
    Script& accepts(bool session_present = false) {
        return step(
            [session_present](Play& play) { play.take(play.session.accept(session_present, play.now)); });
    }
    Script& refuses(mqtt::ConnackCode code) {
        return step([code](Play& play) {
            play.take(play.session.refuse(code, {base::Code::unauthenticated, "device", "is not known", {}}));
        });
    }
    Script& stored(std::uint16_t id) {
        return step([id](Play& play) { play.take(play.session.stored(id)); });
    }
    Script& grants(std::uint16_t id, std::vector<std::uint8_t> codes) {
        return step([=](Play& play) { play.take(play.session.granted(id, codes)); });
    }
    Script& passes(std::chrono::seconds time) {
        return step([time](Play& play) { play.now += time; });
    }
    Script& checks(std::function<void(mqtt::Session&, base::Instant)> check) {
        return step([check = std::move(check)](Play& play) { check(play.session, play.now); });
    }

    Script& sends(mqtt::Packet packet) {
        return expects<mqtt::Send>([packet = std::move(packet)](const mqtt::Send& send) {
            EXPECT_EQ(base::to_hex(mqtt::encode(send.packet)), base::to_hex(mqtt::encode(packet)));
        });
    }
    Script& authenticates() {
        return expects<mqtt::Authenticate>([](const auto&) {});
    }
    Script& delivers(std::string topic) {
        return expects<mqtt::Deliver>([=](const auto& deliver) { EXPECT_EQ(deliver.message.topic, topic); });
    }
    Script& asks_grant(std::vector<mqtt::Qos> qos) {
        return expects<mqtt::Grant>([=](const mqtt::Grant& grant) {
            std::vector<mqtt::Qos> found;
            for (const auto& wanted : grant.request.subscriptions) found.push_back(wanted.qos);
            EXPECT_EQ(found, qos);
        });
    }
    Script& revokes(std::string filter) {
        return expects<mqtt::Revoke>(
            [=](const auto& revoke) { EXPECT_EQ(revoke.request.filters.front(), filter); });
    }
    Script& learns_acknowledged(std::uint16_t id) {
        return expects<mqtt::Acknowledged>([=](const auto& seen) { EXPECT_EQ(seen.packet_id, id); });
    }
    Script& ends() {
        return expects<mqtt::End>([](const auto&) {});
    }
    /// what: part of the reason's text.
    Script& closes(std::string what) {
        return expects<mqtt::Close>([=](const mqtt::Close& close) {
            EXPECT_NE(close.why.text().find(what), std::string::npos) << close.why.text();
        });
    }
    Script& does_nothing() {
        return step([](Play& play) { EXPECT_TRUE(play.actions.empty()) << "an action is left over"; });
    }

    void run() const { play({}); }
    void cut_at_every_byte() const {
        run();
        for (std::size_t cut = 1;; ++cut) {
            SCOPED_TRACE("cut at byte " + std::to_string(cut));
            if (play(cut) <= cut || testing::Test::HasFailure()) return;
        }
    }

  private:
    struct Play {
        mqtt::Session session;
        base::Instant now;
        std::optional<std::size_t> cut;
        std::size_t received = 0;
        base::Bytes inbox;
        std::deque<mqtt::Action> actions;

        void take(std::vector<mqtt::Action> more) {
            for (auto& action : more) actions.push_back(std::move(action));
        }
        void feed(const base::Bytes& bytes) {
            const auto end = received + bytes.size();
            std::size_t first = bytes.size();
            if (cut && *cut > received && *cut < end) first = *cut - received;
            received = end;
            append(std::span(bytes).first(first));
            if (first < bytes.size()) append(std::span(bytes).subspan(first));
        }
        void append(std::span<const std::byte> bytes) {
            inbox.insert(inbox.end(), bytes.begin(), bytes.end());
            while (true) {
                auto decoded = mqtt::decode(inbox);
                if (!decoded) {
                    actions.push_back(mqtt::Close{decoded.error()});
                    inbox.clear();
                    return;
                }
                if (!*decoded) return;
                inbox.erase(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>((*decoded)->consumed));
                take(session.on_packet(std::move((*decoded)->packet), now));
            }
        }
    };

    Script& step(std::function<void(Play&)> what) {
        steps_.push_back(std::move(what));
        return *this;
    }
    template <class Expected>
    Script& expects(std::function<void(const Expected&)> check) {
        const auto number = steps_.size();
        return step([=](Play& play) {
            SCOPED_TRACE("step " + std::to_string(number));
            ASSERT_FALSE(play.actions.empty()) << "no action where one was expected";
            const auto action = std::move(play.actions.front());
            play.actions.pop_front();
            const auto* found = std::get_if<Expected>(&action);
            if (found == nullptr) {
                const auto* close = std::get_if<mqtt::Close>(&action);
                FAIL() << "another kind of action: " << action.index()
                       << (close != nullptr ? " " + close->why.text() : "");
            }
            check(*found);
        });
    }
    std::size_t play(std::optional<std::size_t> cut) const {
        Play play{.session = mqtt::Session(now_),
                  .now = now_,
                  .cut = cut,
                  .received = 0,
                  .inbox = {},
                  .actions = {}};
        for (const auto& what : steps_) {
            what(play);
            if (testing::Test::HasFatalFailure()) return 0;
        }
        EXPECT_TRUE(play.actions.empty()) << play.actions.size() << " actions are left over";
        return play.received;
    }

    base::Instant now_;
    std::vector<std::function<void(Play&)>> steps_;
};

}  // namespace mqtt_test
