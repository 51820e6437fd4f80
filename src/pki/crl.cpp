// SPDX-License-Identifier: Apache-2.0
#include "pki/crl.hpp"

#include <fmt/format.h>

#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>

#include "base/result.hpp"
#include "pki/certificate_names.hpp"
#include "pki/der.hpp"
#include "pki/der_signature.hpp"
#include "pki/general_name.hpp"
#include "pki/key.hpp"
#include "pki/openssl.hpp"

namespace pki {
namespace {

using NameOwner = std::shared_ptr<X509_NAME>;

/// What one of the keys that were tried came to.
struct Tried {
    Sha256 key;
    bool good;
};
constexpr std::size_t most_tried = 8;

std::string_view as_dotted_octets(der::Octets oid) {
    return base::as_text(oid);
}

constexpr std::string_view crl_number_oid("\x55\x1d\x14", 3);
constexpr std::string_view authority_key_oid("\x55\x1d\x23", 3);
constexpr std::string_view reason_oid("\x55\x1d\x15", 3);
constexpr std::string_view authority_info_oid("\x2b\x06\x01\x05\x05\x07\x01\x01", 8);
constexpr std::string_view ca_issuers_oid("\x2b\x06\x01\x05\x05\x07\x30\x02", 8);

struct ReadExtension {
    std::string_view oid;
    bool critical = false;
    der::Octets value;
};

std::optional<ReadExtension> read_extension(der::Octets content) {
    der::Reader reader(content);
    const auto oid = reader.next(der::object_identifier);
    if (!oid) return std::nullopt;
    ReadExtension extension{as_dotted_octets(oid->content), false, {}};
    if (const auto flag = reader.next(der::boolean)) {
        if (flag->content.size() != 1) return std::nullopt;
        extension.critical = flag->content.front() != std::byte{0};
    }
    const auto value = reader.next(der::octet_string);
    if (!value || !reader.empty()) return std::nullopt;
    extension.value = value->content;
    return extension;
}

/// The caIssuers URL of an authorityInfoAccess; empty where there is none that can be asked.
std::string ca_issuers(der::Octets value) {
    constexpr std::uint8_t uri = der::implicit_tag(6);
    constexpr std::size_t longest = 2048;
    der::Reader outer(value);
    const auto list = outer.next(der::sequence);
    if (!list) return {};
    der::Reader each(list->content);
    while (const auto access = each.next(der::sequence)) {
        der::Reader parts(access->content);
        const auto method = parts.next(der::object_identifier);
        const auto where = parts.next(uri);
        if (!method || !where || as_dotted_octets(method->content) != ca_issuers_oid) continue;
        const auto text = base::as_text(where->content);
        const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
        if (plain && text.size() <= longest && text.starts_with("http://")) return std::string(text);
    }
    return {};
}

base::Bytes key_identifier_of(der::Octets authority_key) {
    der::Reader outer(authority_key);
    const auto sequence = outer.next(der::sequence);
    if (!sequence) return {};
    der::Reader parts(sequence->content);
    const auto id = parts.next(der::implicit_tag(0));
    return id ? base::Bytes(id->content.begin(), id->content.end()) : base::Bytes();
}

}  // namespace

struct Crl::Data {
    base::Bytes der;
    der::Octets signed_part, algorithm, signature;  // views into `der`
    NameOwner issuer;
    base::Instant this_update;
    std::optional<base::Instant> next_update;
    std::string number;
    std::string ca_issuers_url;
    base::Bytes authority_key;
    std::vector<RevokedSerial> entries;  // sorted
    mutable std::mutex mutex;
    mutable std::deque<Tried> tried;
};

namespace {

base::Result<RevokedSerial> read_entry(der::Octets content, const std::string& thing) {
    const auto malformed = [&](std::string reason) {
        return base::fail(base::Code::malformed, thing, std::move(reason));
    };
    der::Reader reader(content);
    const auto number = reader.next(der::integer);
    const auto date = reader.next();
    if (!number || !date) return malformed("has an entry without serial or date");
    const auto serial = Serial::from_content(number->content);
    const auto at = der::read_time(*date);
    if (!serial || !at) return malformed("has an entry whose serial or date cannot be read");
    RevokedSerial entry{*serial, 0, *at};
    if (reader.empty()) return entry;
    const auto list = reader.next(der::sequence);
    if (!list || !reader.empty()) return malformed("has an entry with something behind its date");
    der::Reader extensions(list->content);
    while (const auto one = extensions.next(der::sequence)) {
        const auto extension = read_extension(one->content);
        if (!extension) return malformed("has an entry extension that cannot be read");
        if (extension->oid == reason_oid) {
            const auto reason = der::read_small_enumerated(extension->value);
            constexpr int remove_from_crl = 8;
            if (!reason || *reason == remove_from_crl) return malformed("has an entry without a reason");
            entry.reason = static_cast<std::uint8_t>(*reason);
        } else if (extension->critical) {
            return base::fail(base::Code::unsupported, thing,
                              "has entries with a critical extension, as indirect CRLs have them",
                              "give the complete CRL of the CA itself");
        }
    }
    if (!extensions.empty()) return malformed("has an entry extension that cannot be read");
    return entry;
}

}  // namespace

/// Takes a CertificateList apart.
struct CrlParser {
    Crl::Data& data;
    const std::string& thing;

    auto malformed(std::string reason) const {
        return base::fail(base::Code::malformed, thing, std::move(reason));
    }

    base::Status parse() {
        der::Reader outer(data.der);
        const auto whole = outer.next(der::sequence);
        if (!whole) return malformed("is not a CRL");
        if (!outer.empty()) return malformed("has bytes behind its end");
        der::Reader parts(whole->content);
        const auto list = parts.next(der::sequence);
        const auto algorithm = parts.next(der::sequence);
        const auto bits = parts.next(der::bit_string);
        if (!list || !algorithm || !bits || !parts.empty()) return malformed("is not a CRL");
        if (bits->content.empty() || bits->content.front() != std::byte{0})
            return malformed("has a signature that is no whole number of octets");
        data.signed_part = list->whole;
        data.algorithm = algorithm->whole;
        data.signature = bits->content.subspan(1);
        return parse_list(list->content);
    }

    base::Status parse_list(der::Octets content) {
        der::Reader reader(content);
        if (reader.at(der::integer)) {
            const auto version = reader.next(der::integer);
            if (!version || version->content.size() != 1 || version->content.front() != std::byte{1})
                return malformed("is not of version 2");
        }
        const auto inner = reader.next(der::sequence);
        if (!inner || !std::ranges::equal(inner->whole, data.algorithm))
            return malformed("names two signature algorithms");
        const auto issuer = reader.next(der::sequence);
        if (!issuer) return malformed("has no issuer");
        if (auto read = parse_issuer(*issuer); !read) return read;
        const auto begin = reader.next();
        const auto this_update = begin ? der::read_time(*begin) : std::nullopt;
        if (!this_update) return malformed("has no thisUpdate that can be read");
        data.this_update = *this_update;
        if (reader.at(der::utc_time) || reader.at(der::generalized_time)) {
            const auto end = reader.next();
            data.next_update = end ? der::read_time(*end) : std::nullopt;
            if (!data.next_update) return malformed("has a nextUpdate that cannot be read");
        }
        if (reader.at(der::sequence)) {
            const auto entries = reader.next(der::sequence);
            if (!entries) return malformed("has a list that cannot be read");
            if (auto read = parse_entries(entries->content); !read) return read;
        }
        if (reader.at(der::explicit_tag(0))) {
            const auto extensions = reader.next();
            if (!extensions) return malformed("has extensions that cannot be read");
            if (auto read = parse_extensions(extensions->content); !read) return read;
        }
        if (!reader.empty()) return malformed("has something behind its extensions");
        return {};
    }

    base::Status parse_issuer(const der::Element& issuer) {
        const auto* at = reinterpret_cast<const unsigned char*>(issuer.whole.data());
        const auto* end = at + issuer.whole.size();
        X509NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(issuer.whole.size())));
        if (!name || at != end || X509_NAME_entry_count(name.get()) == 0) {
            clear_openssl_errors();
            return malformed("has no issuer that can be read");
        }
        data.issuer = NameOwner(name.release(), X509_NAME_free);
        return {};
    }

    base::Status parse_entries(der::Octets content) {
        constexpr std::size_t usual_entry = 35;
        data.entries.reserve(std::min(content.size() / usual_entry + 1, std::size_t{1} << 21));
        der::Reader reader(content);
        while (!reader.empty()) {
            const auto one = reader.next(der::sequence);
            if (!one) return malformed("has an entry that cannot be read");
            SP_TRY(return, const auto entry, read_entry(one->content, thing));
            data.entries.push_back(entry);
        }
        if (!std::ranges::is_sorted(data.entries, {}, &RevokedSerial::serial))
            std::ranges::stable_sort(data.entries, {}, &RevokedSerial::serial);
        return {};
    }

    base::Status parse_extensions(der::Octets content) {
        der::Reader outer(content);
        const auto list = outer.next(der::sequence);
        if (!list || !outer.empty()) return malformed("has extensions that cannot be read");
        der::Reader reader(list->content);
        while (!reader.empty()) {
            const auto one = reader.next(der::sequence);
            const auto extension = one ? read_extension(one->content) : std::nullopt;
            if (!extension) return malformed("has an extension that cannot be read");
            if (extension->oid == crl_number_oid) {
                if (auto read = parse_number(extension->value); !read) return read;
            } else if (extension->oid == authority_key_oid) {
                data.authority_key = key_identifier_of(extension->value);
            } else if (extension->oid == authority_info_oid) {
                data.ca_issuers_url = ca_issuers(extension->value);
            } else if (extension->critical) {
                // issuingDistributionPoint and deltaCRLIndicator are critical always (RFC 5280 5.2).
                return base::fail(base::Code::unsupported, thing,
                                  "has a critical extension, as partitions and deltas have them",
                                  "give the complete CRL of the CA");
            }
        }
        return {};
    }

    base::Status parse_number(der::Octets value) {
        constexpr std::size_t most = 20;
        der::Reader reader(value);
        const auto number = reader.next(der::integer);
        if (!number || !reader.empty() || number->content.empty() || number->content.size() > most ||
            (number->content.front() & std::byte{0x80}) != std::byte{0})
            return malformed("has a CRL number that cannot be read");
        const auto hex = base::to_hex_upper(number->content);
        const auto first = hex.find_first_not_of('0');
        data.number = first == std::string::npos ? "0" : hex.substr(first);
        return {};
    }
};

std::string crl_reason_text(int reason) {
    constexpr std::array<std::string_view, 11> names{
        "unspecified",   "keyCompromise",        "cACompromise",    "affiliationChanged",
        "superseded",    "cessationOfOperation", "certificateHold", "",
        "removeFromCRL", "privilegeWithdrawn",   "aACompromise"};
    if (reason >= 0 && reason < static_cast<int>(names.size()))
        if (const auto name = names[static_cast<std::size_t>(reason)]; !name.empty())
            return std::string(name);
    return fmt::format("reason {}", reason);
}

base::Result<Crl> Crl::from_der(std::span<const std::byte> der, std::string thing) {
    auto data = std::make_shared<Data>();
    data->der.assign(der.begin(), der.end());
    if (auto parsed = CrlParser{*data, thing}.parse(); !parsed)
        return std::unexpected(std::move(parsed).error());
    return Crl(std::move(data));
}

base::Result<Crl> Crl::read(std::span<const std::byte> content, std::string thing) {
    if (looks_like_der(content)) return from_der(content, std::move(thing));
    const auto blocks = pem_blocks(base::as_text(content), PEM_STRING_X509_CRL, 1);
    if (blocks.empty())
        return base::fail(base::Code::malformed, std::move(thing), "is neither a CRL in DER nor in PEM",
                          "it must hold a block -----BEGIN X509 CRL-----");
    return from_der(blocks.front(), std::move(thing));
}

const base::Bytes& Crl::der() const {
    return data_->der;
}
const X509_name_st* Crl::issuer_handle() const {
    return data_->issuer.get();
}
std::string Crl::issuer() const {
    return shortened(name_text(data_->issuer.get()));
}
base::Instant Crl::this_update() const {
    return data_->this_update;
}
std::optional<base::Instant> Crl::next_update() const {
    return data_->next_update;
}
const std::string& Crl::number() const {
    return data_->number;
}
std::size_t Crl::size() const {
    return data_->entries.size();
}
const std::string& Crl::ca_issuers_url() const {
    return data_->ca_issuers_url;
}

const RevokedSerial* Crl::find(const Serial& serial) const {
    const auto at = std::ranges::lower_bound(data_->entries, serial, {}, &RevokedSerial::serial);
    return at != data_->entries.end() && at->serial == serial ? &*at : nullptr;
}

bool Crl::same_entries(const Crl& other) const {
    return std::ranges::equal(data_->entries, other.data_->entries, {}, &RevokedSerial::serial,
                              &RevokedSerial::serial);
}

bool Crl::supersedes(const Crl& other) const {
    if (this_update() != other.this_update()) return this_update() > other.this_update();
    if (number().size() != other.number().size()) return number().size() > other.number().size();
    return number() > other.number();
}

base::Status Crl::check_issuer(const Certificate& ca) const {
    const auto refuse = [&](std::string reason) {
        return base::fail(base::Code::unauthenticated, "CRL of " + issuer(), std::move(reason));
    };
    if (X509_NAME_cmp(X509_get_subject_name(ca.handle()), data_->issuer.get()) != 0)
        return refuse("is not one of " + shortened(ca.subject()));
    const ASN1_OCTET_STRING* own = X509_get0_subject_key_id(ca.handle());
    if (own && !data_->authority_key.empty()) {
        const std::span id(ASN1_STRING_get0_data(own), static_cast<std::size_t>(ASN1_STRING_length(own)));
        if (!std::ranges::equal(std::as_bytes(id), data_->authority_key))
            return refuse("was signed by another key of that name");
    }
    if ((X509_get_key_usage(ca.handle()) & KU_CRL_SIGN) == 0)
        return refuse("comes from a CA whose keyUsage lacks cRLSign");
    if (!is_strong_signature(data_->algorithm)) return refuse("is signed with less than SHA-224");

    const auto key = sha256(PublicKey::of(ca).der());
    const std::lock_guard lock(data_->mutex);
    auto tried = std::ranges::find(data_->tried, key, &Tried::key);
    if (tried == data_->tried.end()) {
        if (data_->tried.size() == most_tried) data_->tried.pop_front();
        data_->tried.push_back({key, verifies(data_->signed_part, data_->algorithm, data_->signature, ca)});
        tried = data_->tried.end() - 1;
    }
    if (!tried->good) return refuse("has a signature that does not verify with the CA's key");
    return {};
}

std::vector<const Crl*> CrlSet::of(const X509_name_st* issuer) const {
    std::vector<const Crl*> found;
    for (const auto& one : crls_)
        if (X509_NAME_cmp(one.issuer_handle(), issuer) == 0) found.push_back(&one);
    return found;
}

}  // namespace pki
