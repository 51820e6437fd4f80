// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azure/bulk.hpp"
#include "azure/configuration.hpp"
#include "azure/documents.hpp"
#include "azure/errors.hpp"
#include "azure/twin.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "pki/certificate.hpp"

namespace registry {

enum class Right : unsigned {
    registry_read = 1,
    registry_write = 2,
    service_connect = 4,
    device_connect = 8
};

/// A shared access policy (hub.md 5.1).
struct Policy {
    std::string name;
    unsigned rights = 0;      ///< of Right
    std::string primary_key;  ///< base64 of 32 octets
    std::string secondary_key;
    bool has(Right right) const { return (rights & static_cast<unsigned>(right)) != 0; }
};

enum class KeyRenewal { primary, secondary, swap };

/// A CA certificate uploaded for X.509 CA authentication (hub.md 8).
struct CaCertificate {
    std::string name;
    pki::Certificate certificate;
    bool verified = false;
    std::string etag;
    base::Instant created{};
    base::Instant updated{};
    std::string verification_code{};  ///< 48 upper-case hex digits; empty: none is open
};

/// One committed write, in order. `device` is empty for a change of CA certificates.
struct Change {
    std::uint64_t number;
    std::string device;
    std::string module;  ///< empty: the device itself
    bool deleted = false;
    bool certificates = false;
    std::vector<std::string>
        scopes;  ///< device scopes that saw it at any depth, before and after: whose gateways must hear of it
    bool created = false;  ///< told to observers; not kept, so false in what `changes` reads
};

/// One committed write of a twin, in order. Each section as it was written: the patch, or the whole.
struct TwinChange {
    trust::Identity identity;
    azure::TwinWrite how = azure::TwinWrite::patch;
    std::optional<boost::json::object> tags;
    std::optional<boost::json::object> desired;
    std::optional<boost::json::object> reported;
    azure::Twin after;
};

/// The etag that a write asks for: none given, any ("*"), or a certain one (bare text).
struct IfMatch {
    enum class Kind { absent, any, exact };
    Kind kind = Kind::absent;
    std::string etag;
    /// Reads the header in every spelling of hub.md 5.2; nullptr text: absent.
    static IfMatch parse(std::optional<std::string_view> header);
};

/// The code to answer with for an error of this module: DeviceNotFound or ModuleNotFound, InvalidDeviceScope
/// or ArgumentInvalid, DeviceAlreadyExists or ModuleAlreadyExistsOnDevice...
azure::ErrorCode azure_code(const base::Error& error);

/// How many there are of everything.
struct Counts {
    std::uint64_t devices = 0;
    std::uint64_t disabled_devices = 0;
    std::uint64_t modules = 0;
};

template <class T>
using Done = std::function<void(base::Result<T>)>;

/// Synchronous reads by key over a read-only connection. One for each thread that reads.
class Reader {
  public:
    /// On a registry's file without the Registry: for commands at the hub's machine. Changes nothing.
    static base::Result<std::unique_ptr<Reader>> open(const std::filesystem::path& file);
    ~Reader();
    base::Result<std::optional<azure::Device>> device(const std::string& id);
    base::Result<std::optional<azure::Module>> module(const trust::Identity& id);
    /// The record that `authenticate` needs, with device_status filled in.
    base::Result<std::optional<trust::Record>> record(const trust::Identity& id);
    base::Result<std::optional<azure::Twin>> twin(const trust::Identity& id);
    /// That of the twin; nullopt: no such identity.
    base::Result<std::optional<std::string>> model_id(const trust::Identity& id);
    base::Result<std::vector<azure::Device>> devices(std::size_t top);
    /// Those with an id from `first` to `last` (empty: to the end), both included, in order, at most `most`.
    base::Result<std::vector<azure::Device>> devices(const std::string& first, const std::string& last,
                                                     std::size_t most);
    base::Result<std::vector<azure::Module>> modules(const std::string& device);
    /// Those of devices up to `last`, in order of device and module, that come behind `after`.
    base::Result<std::vector<azure::Module>> modules_behind(const trust::Identity& after,
                                                            const std::string& last, std::size_t most);
    base::Result<Counts> counts();
    /// By id, at most `top`.
    base::Result<std::vector<azure::Configuration>> configurations(std::size_t top);
    base::Result<std::optional<azure::Configuration>> configuration(const std::string& id);
    /// In scope of an edge device (hub.md 9.4): itself, its modules, its leaf children with their modules,
    /// child edge devices with theirs, by device id. after: device id to go on behind; at most `most`
    /// devices. continuation: what to give as `after` for the next page.
    base::Result<azure::ScopeResult> scope(const std::string& edge, const std::string& after,
                                           std::size_t most);
    /// The edge device whose own deviceScope is `scope`.
    base::Result<std::optional<azure::Device>> scope_owner(const std::string& scope);
    base::Result<std::vector<CaCertificate>> ca_certificates();
    base::Result<std::optional<CaCertificate>> ca_certificate(const std::string& name);
    base::Result<std::optional<Policy>> policy(const std::string& name);
    base::Result<std::vector<Policy>> policies();
    /// Changes with a number above `since`; nullopt: `since` is older than what is kept (or from another
    /// life).
    base::Result<std::optional<std::vector<Change>>> changes(std::uint64_t since, std::size_t most);
    base::Result<std::uint64_t> last_change();

  private:
    friend class Registry;
    struct Impl;
    explicit Reader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The source of truth: devices, modules, twins, policies, CA certificates in one SQLite file, writes in
/// groups on one thread. Errors of writes: already_exists, not_found, precondition_failed, too_large (50
/// modules, 25 CA certificates), permission_denied (system modules), invalid_argument with the rule of
/// hub.md 5.3 that was broken; `azure_code` gives the exact code of each. A write that names no If-Match
/// where one is needed is precondition_failed. From any thread; `done` is called on the writer thread after
/// the commit, when the observers have been told.
class Registry {
  public:
    static base::Result<std::unique_ptr<Registry>> open(const std::filesystem::path& file,
                                                        const base::Clock& clock);
    ~Registry();
    base::Result<std::unique_ptr<Reader>> reader() const;

    /// Creates; makes keys where none are given, `$edgeAgent` and `$edgeHub` for an edge device.
    void create_device(azure::DeviceWish wish, Done<azure::Device> done);
    /// What the wish leaves out stays as it is; empty keys keep the old ones. deviceScope "" takes the parent
    /// away.
    void replace_device(azure::DeviceWish wish, IfMatch match, Done<azure::Device> done);
    void delete_device(std::string id, IfMatch match, Done<bool> done);
    void create_module(azure::ModuleWish wish, Done<azure::Module> done);
    void replace_module(azure::ModuleWish wish, IfMatch match, Done<azure::Module> done);
    void delete_module(trust::Identity id, IfMatch match, Done<bool> done);
    /// A service writes tags and desired properties; without If-Match whatever they are by now. An empty
    /// patch changes nothing and is no error.
    void update_twin(trust::Identity id, azure::TwinWish wish, azure::TwinWrite how, IfMatch match,
                     Done<azure::Twin> done);
    /// A device or module of this generation patches its reported properties; their $version afterwards.
    void report(trust::Identity id, std::string generation, boost::json::object patch,
                Done<std::int64_t> done);
    /// The model id that it has connected with; false where nothing changed. No version counts it.
    void note_model(trust::Identity id, std::string generation, std::string model, Done<bool> done);
    /// All items in one transaction, each on its own: what one is refused for undoes it alone and stands in
    /// the result. Twins and modules too. An error of the whole means that nothing was written.
    void bulk(std::vector<azure::BulkItem> items, Done<azure::BulkResult> done);
    /// Writes the desired properties of a device and its modules, all or none; modules that are named and not
    /// there are made.
    void apply_content(std::string device, std::vector<azure::DesiredContent> contents, Done<bool> done);
    /// Creates without If-Match (at most 100), else replaces: labels, condition, priority and metrics, never
    /// the content. Times and etag of the wish do not count.
    struct PutConfiguration {
        azure::Configuration configuration;
        bool created;
    };
    void put_configuration(azure::Configuration wish, IfMatch match, Done<PutConfiguration> done);
    /// Without If-Match whatever is there.
    void delete_configuration(std::string id, IfMatch match, Done<bool> done);
    enum class Proof { verified, unverified };
    /// Replacing one resets `verified` to what is given; the limit is 25. The result tells whether it is new.
    struct PutCa {
        CaCertificate certificate;
        bool created;
    };
    void put_ca_certificate(std::string name, pki::Certificate certificate, Proof proof, IfMatch match,
                            Done<PutCa> done);
    void delete_ca_certificate(std::string name, IfMatch match, Done<bool> done);
    /// Opens a proof of possession: a new verification code in place of the one before (hub.md 8).
    void make_verification_code(std::string name, IfMatch match, Done<CaCertificate> done);
    /// Verified from then on where `proof` is what `check_possession` asks for (invalid_argument otherwise);
    /// the code is spent.
    void verify_ca_certificate(std::string name, pki::Certificate proof, IfMatch match,
                               Done<CaCertificate> done);

    // These wait: not from the writer thread (a `done` or an observer).

    /// Makes the five policies of hub.md 5.1 with fresh keys where they are missing (`hub init`).
    base::Status make_policies();
    /// A new key in one place, or the two exchanged. Whoever reads the policy afterwards, in this process or
    /// another, sees it.
    base::Result<Policy> renew_policy_key(const std::string& name, KeyRenewal which);
    /// The same as `bulk`, waited for (`hub dev --seed`).
    base::Result<azure::BulkResult> bulk(std::vector<azure::BulkItem> items);

    /// Called on the writer thread for each committed change, in order. From any thread, at start.
    void on_change(std::function<void(const Change&)> observer);
    /// The same for twins, whose changes are no matter of authentication and reach no gateway.
    void on_twin_change(std::function<void(const TwinChange&)> observer);

  private:
    struct Impl;
    explicit Registry(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace registry
