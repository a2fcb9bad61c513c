"""Invented names and texts, with letters from beyond ASCII and characters that trip careless JSON code."""

from __future__ import annotations

VENDORS = (
    "Pine & Ash Paper",
    "Łódź Tekstylia",
    "Harbor Light Electric",
    "Orchard Row Catering",
    "Brightside Cleaning",
    "Café Réunion",
    "東京紙業",
    "Granite Ridge Gravel",
    "Straße & Söhne GmbH",
    "Blue Kettle Coffee",
    "Señal Telecom",
    "Quarter Moon Print",
    "Tall Fern Landscaping",
    "Northwind Freight",
    'The "Good" Hardware Co.',
    "Żółw Logistyka",
)

CUSTOMERS = (
    "Lakeview Clinic",
    "Ångström Optics",
    "Maple Street School",
    "Crème & Co",
    "大阪デザイン",
    "Red Barn Foods",
    "Fjord Shipping",
    "O'Malley & Daughters",
    "São Bento Hotels",
    "Copper Hill Mining",
    "Kraków Robotics",
    "Sunday Market",
)

PEOPLE = (
    ("Noor", "Blake"),
    ("Ada", "Moss"),
    ("Zoë", "Núñez"),
    ("Jürgen", "Weiß"),
    ("花子", "山田"),
    ("Sam", "O'Neil"),
    ("Łucja", "Wójcik"),
    ("Priya", "Rao"),
)

# line1, line2, city, state or province, postal code, country code, country
PLACES: tuple[tuple[str, str | None, str, str | None, str, str, str], ...] = (
    ("12 Pine St", "Suite 4", "Denver", "CO", "80202", "US", "United States"),
    ("5 Lake Rd", None, "Madison", "WI", "53703", "US", "United States"),
    ("77 King St W", "Floor 9", "Toronto", "ON", "M5X 1A9", "CA", "Canada"),
    ("900 Bay Ave", None, "Portland", "OR", "97201", "US", "United States"),
    ("Hauptstraße 3", None, "Köln", None, "50667", "DE", "Germany"),
    ("31 Mill Ln", "Unit B", "Burlington", "VT", "05401", "US", "United States"),
    ("丸の内1-1", None, "東京", None, "100-0005", "JP", "Japan"),
    ("2 Elm Ct", None, "Austin", "TX", "78701", "US", "United States"),
    ("8 Canal St", None, "Leeds", None, "LS1 4DL", "GB", "United Kingdom"),
    ("640 Hill Blvd", None, "Reno", "NV", "89501", "US", "United States"),
    ("ul. Piotrkowska 100", "lok. 7", "Łódź", None, "90-004", "PL", "Poland"),
    ("19 Dock Rd", None, "Tampa", "FL", "33602", "US", "United States"),
)

# The currency of a party goes with its place.
CURRENCIES = ("USD", "USD", "CAD", "USD", "EUR", "USD", "JPY", "USD", "GBP", "USD", "PLN", "USD")


def picked(names: tuple[str, ...], index: int) -> str:
    """The index-th name; a number is added when the list is used up, so that names stay distinct."""
    round_, place = divmod(index, len(names))
    return names[place] if round_ == 0 else f"{names[place]} {round_ + 1}"
