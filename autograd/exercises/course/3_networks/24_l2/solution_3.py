def gradient(w, b, dw, db, strength):
    decay = map((2.0 * strength).__mul__, w)
    return list(map(sum, zip(dw, decay))), tuple(db)
