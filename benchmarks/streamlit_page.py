"""The same page in Streamlit: `streamlit run benchmarks/streamlit_page.py`."""

import sys
from pathlib import Path

import altair as alt
import streamlit as st

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks import content

st.set_page_config(page_title=content.TITLE, layout="wide")
st.title(content.TITLE)
last = len(content.steps()) - 1
found = content.answer(content.steps()[st.slider("Known by", 0, last, last)])

st.subheader(content.MONTHS)
month = alt.X("closed_month:T", timeUnit="utcyearmonth", title=None)
st.altair_chart(alt.Chart(found.months, height=240).mark_bar().encode(month, alt.Y("revenue:Q", title=None)))

st.subheader(content.REGIONS)
base = alt.Chart(found.regions, height=240).encode(alt.Y("region:N", title=None))
interval = base.mark_rule(strokeWidth=3).encode(
    alt.X("win_rate_low:Q", title=None, axis=alt.Axis(format=".0%")), alt.X2("win_rate_high:Q")
)
st.altair_chart(interval + base.mark_point(filled=True, size=70).encode(alt.X("win_rate:Q")))

st.subheader(content.SECTORS)
sector = alt.Y("sector:N", title=None)
st.altair_chart(alt.Chart(found.sectors, height=240).mark_bar().encode(alt.X("revenue:Q", title=None), sector))
