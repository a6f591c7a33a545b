//! The bundled font, cut to Latin and the common Chinese characters.
